import { known, unknown } from '../../../src/doctor/fact.js';
import type { Facts } from '../../../src/doctor/facts.js';
import type { ZeroPagesChoice } from '../../../src/core/policies/shared/zeroPages.js';
import { DAEMON, configured, GIB, KSM, MERGING, checkTable, without } from '../../support/examples/doctorFacts.js';

const OLD_MERGING = without(MERGING, 'generalProfit');

checkTable('profit', [
  { name: 'none yet', facts: {}, level: 'ok', found: /^0 B \(general_profit\)$/ },
  { name: 'gains', facts: { ksm: known(MERGING) }, level: 'ok', found: /^1\.9 GiB \(general_profit\)$/ },
  {
    name: 'a loss after two full passes',
    facts: { ksm: known({ ...MERGING, generalProfit: -1, fullScans: 2 }) },
    level: 'problem',
    found: /^merging costs more memory than it saves: -1 B \(general_profit\) after 2 full passes$/,
    remedy: /^samepagectl unmerge$/,
  },
  {
    name: 'a loss before two full passes',
    facts: { ksm: known({ ...MERGING, generalProfit: -1, fullScans: 1 }) },
    level: 'note',
    found: /-1 B \(general_profit\); too early to judge, as pages merge in ksmd's second pass and 1 are done$/,
  },
  {
    name: 'a loss that rests',
    facts: { ksm: known({ ...MERGING, generalProfit: -4096, run: 0 }) },
    level: 'note',
    found: /: -4\.0 KiB \(general_profit\); ksmd rests, but its records stay/,
    remedy: /^samepagectl unmerge$/,
  },
  {
    name: 'estimated as the kernel does: 10200 pages merged, 12288 looked at, on Linux 6.1',
    facts: {
      ksm: known({ ...OLD_MERGING, pagesShared: 40, pagesSharing: 10_200, pagesUnshared: 2047, pagesVolatile: 1 }),
    },
    level: 'ok',
    found: /^39\.1 MiB \(estimated, as this kernel has no general_profit\)$/,
  },
  {
    name: 'estimated loss',
    facts: { ksm: known({ ...OLD_MERGING, pagesShared: 1, pagesSharing: 1, pagesUnshared: 10_000, pagesVolatile: 0 }) },
    level: 'problem',
    found: /: -621\.1 KiB \(estimated/,
    remedy: /unmerge/,
  },
  {
    name: 'just none of both',
    facts: { ksm: known({ ...OLD_MERGING, pagesShared: 1, pagesSharing: 1, pagesUnshared: 60, pagesVolatile: 2 }) },
    level: 'ok',
    found: /^0 B \(estimated/,
  },
]);

const reached = (parts: Partial<typeof MERGING> = {}) =>
  known({ ...MERGING, stableNodeChains: 1, stableNodeDups: 3, ...parts });
const ALONE: Partial<Facts> = { daemon: known(undefined), tuners: known([]) };
const UNLIMITED = without(MERGING, 'maxPageSharing');

checkTable('sharing-limit', [
  { name: 'not reached', facts: { ksm: known(MERGING) }, level: 'ok', found: /^max_page_sharing=256 is not reached$/ },
  { name: 'a kernel without', facts: { ksm: known(UNLIMITED) }, level: 'ok', found: /4\.13/ },
  {
    name: 'reached: one page, of which two further copies are kept',
    facts: { ksm: reached() },
    level: 'note',
    found: /^max_page_sharing=256 was reached by 1 page: 8\.0 KiB in further copies$/,
  },
  {
    name: 'reached, with the chain cut since',
    facts: { ksm: reached({ stableNodeChains: 0 }) },
    level: 'note',
    found: /^max_page_sharing=256 was reached by 0 pages: 12\.0 KiB/,
  },
  {
    name: 'what is left of guests that are gone',
    facts: { ksm: reached({ pagesShared: 0 }) },
    level: 'ok',
    found: /not reached$/,
  },
  {
    name: 'reached below the default',
    facts: { ksm: reached({ maxPageSharing: 255 }) },
    level: 'note',
    found: /^max_page_sharing=255/,
    remedy:
      /^# KSM_MAX_PAGE_SHARING=256 in .*:\nsamepagectl unmerge && systemctl reload samepaged && samepagectl resume$/,
  },
  {
    name: 'reached below the default, without samepaged',
    facts: { ksm: reached({ maxPageSharing: 2 }), ...ALONE },
    level: 'note',
    found: /^max_page_sharing=2 /,
    remedy: /^echo 2 > .*run\necho 256 > .*max_page_sharing\necho 1 > .*run$/,
  },
  {
    name: 'reached below the default, without samepaged and without memory to unmerge',
    facts: { ksm: reached({ maxPageSharing: 2, run: 0, pagesSharing: 3_000_000 }), ...ALONE },
    level: 'note',
    found: /^max_page_sharing=2 /,
    remedy: /^# when there is memory for it .*\necho 2 > .*run\necho 256 > .*max_page_sharing$/,
  },
]);

const thp = (mode: 'always' | 'madvise' | 'never', usedBytes: number): Partial<Facts> => ({
  transparentHugepages: known({
    mode,
    sizeBytes: 2 * 1024 ** 2,
    usedBytes,
    splitFreesZeros: false,
  }),
});

checkTable('transparent-hugepages', [
  {
    name: 'ksmd rests',
    facts: thp('always', GIB),
    level: 'ok',
    found: /^always; 1\.0 GiB of 16\.0 GiB in huge pages$/,
  },
  {
    name: 'ksmd merges',
    facts: { ...thp('madvise', GIB), ksm: known(MERGING) },
    level: 'note',
    found: /^madvise; 1\.0 GiB of 16\.0 GiB in huge pages, which merging splits .*; 2\.0 GiB saved so far$/,
  },
  {
    name: 'ksmd merges, and there is none',
    facts: { ...thp('madvise', 0), ksm: known(MERGING) },
    level: 'ok',
    found: /^madvise; 0 B/,
  },
  { name: 'switched off', facts: { ...thp('never', GIB), ksm: known(MERGING) }, level: 'ok', found: /^never/ },
  {
    name: 'the total is not known',
    facts: { ...thp('always', GIB), memory: unknown('x') },
    level: 'ok',
    found: /^always; 1\.0 GiB in huge pages$/,
  },
  {
    name: 'unreadable',
    facts: { ksm: known(KSM), transparentHugepages: unknown('denied') },
    level: 'unknown',
    found: /^denied$/,
  },
]);

checkTable('numa-merging', [
  { name: 'one node', facts: {}, level: 'ok', found: /^one node with memory/ },
  {
    name: 'two nodes kept apart',
    facts: { ...nodes(21), ksm: known({ ...MERGING, mergeAcrossNodes: 0 }) },
    level: 'ok',
    found: /^merge_across_nodes=0, 2 nodes of 8\.0 GiB, distance up to 21$/,
  },
  {
    name: 'two nodes merged, pages shared, samepaged runs',
    facts: { ...nodes(21), ksm: known(MERGING) },
    level: 'note',
    found: /^merge_across_nodes=1 on 2 nodes of 8\.0 GiB, distance up to 21$/,
    remedy: /^# KSM_MERGE_ACROSS_NODES=0 in .*:\nsamepagectl unmerge && .*reload samepaged && samepagectl resume$/,
  },
  {
    name: 'two nodes merged, nothing shared, samepaged runs',
    facts: nodes(21),
    level: 'note',
    found: /^merge_across_nodes=1/,
    remedy: /:\nsystemctl reload samepaged$/,
  },
  {
    name: 'two nodes merged, nothing shared, without samepaged',
    facts: { ...nodes(), ...ALONE },
    level: 'note',
    found: /^merge_across_nodes=1 on 2 nodes of 8\.0 GiB$/,
    remedy: /^virsh node-memory-tune --shm-merge-across-nodes 0$/,
  },
  {
    name: 'with numad, whose check has the command',
    facts: { ...nodes(21), numad: known([{ name: 'numad', pid: 3 }]) },
    level: 'note',
    found: /; see numad$/,
  },
]);

checkTable('numad', [
  { name: 'not there', facts: nodes(21), level: 'ok', found: /^does not run$/ },
  {
    name: 'on one node',
    facts: { numad: known([{ name: 'numad', pid: 3 }]) },
    level: 'ok',
    found: /^numad \(pid 3\) runs, on one node$/,
  },
  {
    name: 'while nodes are kept apart',
    facts: { ...nodes(21), numad: known([{ name: 'numad', pid: 3 }]), ksm: known({ ...KSM, mergeAcrossNodes: 0 }) },
    level: 'ok',
    found: /merging keeps within nodes$/,
  },
  {
    name: 'while nodes are merged',
    facts: { ...nodes(21), numad: known([{ name: 'numad', pid: 3 }]) },
    level: 'problem',
    found: /^numad \(pid 3\) runs while pages are merged across nodes \(merge_across_nodes=1\)$/,
    remedy: /KSM_MERGE_ACROSS_NODES=0/,
  },
  { name: 'hidden', facts: { ...nodes(21), numad: unknown('hidepid') }, level: 'unknown', found: /^hidepid$/ },
]);

function nodes(farthest?: number): Partial<Facts> {
  const node = (id: number) => ({
    id,
    totalBytes: 8 * GIB,
    freeBytes: GIB,
    distances: farthest === undefined ? [] : [10, farthest],
  });
  return { numaNodes: known([node(0), node(1)]) };
}

checkTable('zero-pages', [
  {
    name: 'decided by itself',
    facts: zeroPagesOf({ useZeroPages: 1, choice: 'auto', frees: true }),
    level: 'ok',
    found: /^use_zero_pages=1, KSM_USE_ZERO_PAGES=auto$/,
  },
  {
    name: 'off where splits free zero pages',
    facts: zeroPagesOf({ useZeroPages: 0, choice: 0, frees: true }),
    level: 'problem',
    found: /KSM_USE_ZERO_PAGES=0: zero pages in huge pages keep ksmd from merging on this kernel$/,
    remedy: /^# KSM_USE_ZERO_PAGES=auto in .*\nsystemctl reload samepaged$/,
  },
  {
    name: 'kept off where splits free zero pages',
    facts: zeroPagesOf({ useZeroPages: 0, choice: 'keep', frees: true }),
    level: 'problem',
    found: /^use_zero_pages=0, KSM_USE_ZERO_PAGES=keep: /,
    remedy: /auto/,
  },
  {
    name: 'kept on where splits free zero pages',
    facts: zeroPagesOf({ useZeroPages: 1, choice: 'keep', frees: true }),
    level: 'ok',
    found: /keep$/,
  },
  {
    name: 'off on another kernel',
    facts: zeroPagesOf({ useZeroPages: 0, choice: 0, frees: false }),
    level: 'ok',
    found: /=0$/,
  },
  {
    name: 'on where it is not counted',
    facts: zeroPagesOf({ useZeroPages: 1, choice: 1, frees: false, counted: false }),
    level: 'note',
    found: /what it gives back is not counted, and unmerging does not undo it$/,
    remedy: /auto/,
  },
  {
    name: 'off while something else merges',
    facts: { ...zeroPagesOf({ useZeroPages: 0, choice: 'auto', frees: true }), ...ALONE },
    level: 'problem',
    found: /^use_zero_pages=0: zero pages in huge pages keep/,
    remedy: /^echo 1 > .*use_zero_pages$/,
  },
  {
    name: 'on, and gave memory, which khugepaged may take back',
    facts: {
      ...zeroPagesOf({ useZeroPages: 1, choice: 'auto', frees: true, emptyPages: 511 }),
      daemon: known({ ...DAEMON, freedBytes: GIB }),
    },
    level: 'note',
    found:
      /; khugepaged may take back what zero pages gave \(1\.\d GiB\) as guests write beside them \(max_ptes_none=511\)$/,
    remedy: /^# KSM_THP_MAX_PTES_NONE=0 in .*\nsystemctl reload samepaged$/,
  },
  {
    name: 'on, and gave memory to something else than samepaged, which khugepaged may take back',
    facts: { ...zeroPagesOf({ useZeroPages: 1, choice: 'auto', frees: true, emptyPages: 511, zeros: 1000 }), ...ALONE },
    level: 'note',
    found: /\(3\.9 MiB\) as guests write beside them \(max_ptes_none=511\)$/,
    remedy: /^echo 0 > \/sys\/kernel\/mm\/transparent_hugepage\/khugepaged\/max_ptes_none$/,
  },
  {
    name: 'on, and gave memory, where khugepaged leaves it',
    facts: {
      ...zeroPagesOf({ useZeroPages: 1, choice: 'auto', frees: true, emptyPages: 0 }),
      daemon: known({ ...DAEMON, freedBytes: GIB }),
    },
    level: 'ok',
    found: /auto$/,
  },
  {
    name: "Red Hat's switch for zero pages only",
    facts: { ksm: known({ ...MERGING, useZeroPages: 0, redhatOnlyZeroPages: 1 }) },
    level: 'note',
    found: /^redhat_only_zero_pages=1: KSM merges zero pages only, .* other equal pages stay unmerged$/,
    remedy: /^echo 0 > \/sys\/kernel\/mm\/ksm\/redhat_only_zero_pages$/,
  },
  {
    name: "Red Hat's switch for zero pages only, off",
    facts: { ksm: known({ ...MERGING, useZeroPages: 1, redhatOnlyZeroPages: 0 }) },
    level: 'ok',
    found: /^use_zero_pages=1, KSM_USE_ZERO_PAGES=auto$/,
  },
  { name: 'a kernel without it', facts: { ksm: known(MERGING) }, level: 'ok', found: /has no use_zero_pages$/ },
]);

function zeroPagesOf(host: {
  readonly useZeroPages: number;
  readonly choice: ZeroPagesChoice;
  readonly frees: boolean;
  readonly counted?: boolean;
  readonly emptyPages?: number;
  readonly zeros?: number;
}): Partial<Facts> {
  const { useZeroPages, choice, frees, counted = true, emptyPages = 511, zeros = 0 } = host;
  const ksm = { ...MERGING, ksmZeroPages: zeros };
  return {
    ksm: known({
      ...(counted ? ksm : without(ksm, 'ksmZeroPages')),
      useZeroPages,
      khugepagedMaxPtesNone: emptyPages,
    }),
    configuration: configured({ KSM_USE_ZERO_PAGES: choice }),
    transparentHugepages: known({
      mode: 'madvise',
      sizeBytes: 2 * 1024 ** 2,
      usedBytes: 0,
      splitFreesZeros: frees,
    }),
  };
}
