import { formatBytes, plural } from '../../core/format.js';
import { type KsmState, ksmFile } from '../../core/ksm.js';
import { savingsOf } from '../../core/savings.js';
import { type Check, check, note, ok, problem, valueOf } from '../check.js';
import type { Facts } from '../facts.js';
import { change, changeUnshared, daemonRuns, reconfigure, setKsm, unmerge } from '../remedies.js';

/** ksmd compares a page's checksum with the one of its last visit: a page merges in the second pass at the earliest. */
const PASSES_TO_JUDGE = 2;

const profit = check({
  id: 'profit',
  title: 'Profit',
  why:
    'ksmd keeps a record of about 64 bytes for every page that it scans. If too few pages are equal, the records take more ' +
    'memory than merging frees, and the CPU time of ksmd comes on top.',
  needs: ['ksm', 'pageSize'],
  judge: ({ ksm, pageSize }, facts) => {
    const { generalProfit, run, fullScans = 0 } = ksm;
    const { profitBytes: bytes } = savingsOf(ksm, pageSize.bytes, valueOf(facts.daemon));
    const origin = generalProfit === undefined ? 'estimated, as this kernel has no general_profit' : 'general_profit';
    const found = `${formatBytes(bytes)} (${origin})`;
    if (bytes >= 0) return ok(found);
    const loss = `merging costs more memory than it saves: ${found}`;
    if (run !== 1)
      return note(`${loss}; ksmd rests, but its records stay until everything is unmerged`, ...unmerge(ksm, facts));
    return fullScans < PASSES_TO_JUDGE
      ? note(`${loss}; too early to judge, as pages merge in ksmd's second pass and ${fullScans} are done`)
      : problem(`${loss} after ${fullScans} full passes`, ...unmerge(ksm, facts));
  },
});

const sharingLimit = check({
  id: 'sharing-limit',
  title: 'Sharing limit',
  why:
    'KSM shares a page max_page_sharing times and then keeps a further copy. A higher limit saves little (at 256 the copies ' +
    'are 0.4 % of what is merged) and makes swapping and migrating such a page slower.',
  needs: ['ksm', 'pageSize'],
  judge: ({ ksm, pageSize }, facts) => {
    const { maxPageSharing, stableNodeChains, stableNodeDups } = ksm;
    if (maxPageSharing === undefined || stableNodeChains === undefined || stableNodeDups === undefined) {
      return ok('this kernel has none (Linux 4.13 brought it)');
    }
    const reached = ksm.pagesShared > 0 && (stableNodeChains > 0 || stableNodeDups > 0);
    if (!reached) return ok(`max_page_sharing=${maxPageSharing} is not reached`);
    const copies = Math.max(stableNodeDups - stableNodeChains, 0);
    const found = `max_page_sharing=${maxPageSharing} was reached by ${plural(stableNodeChains, 'page')}`;
    const cost = `${formatBytes(copies * pageSize.bytes)} in further copies`;
    return maxPageSharing < DEFAULT_MAX_PAGE_SHARING
      ? note(`${found}: ${cost}`, ...raiseLimit(ksm, facts))
      : note(`${found}: ${cost}`);
  },
});

/** mm/ksm.c: 256, "the impact of higher values is on the latency of walks over all mappings". */
const DEFAULT_MAX_PAGE_SHARING = 256;

function raiseLimit(ksm: KsmState, facts: Facts): readonly string[] {
  const value = DEFAULT_MAX_PAGE_SHARING;
  return changeUnshared(ksm, facts, `KSM_MAX_PAGE_SHARING=${value}`, setKsm('max_page_sharing', value));
}

const transparentHugepages = check({
  id: 'transparent-hugepages',
  title: 'Huge pages (THP)',
  why:
    "KSM splits a huge page to merge a page in it. That saves memory, but the guest's access to it gets slower, because the " +
    'CPU must translate more addresses. Huge pages without equal parts stay whole.',
  needs: ['ksm', 'transparentHugepages', 'pageSize'],
  judge: ({ ksm, transparentHugepages: { mode, usedBytes }, pageSize }, { memory }) => {
    const total = valueOf(memory)?.memTotalBytes;
    const share = total === undefined || total === 0 ? '' : ` of ${formatBytes(total)}`;
    const found = `${mode}; ${formatBytes(usedBytes)}${share} in huge pages`;
    if (mode === 'never' || ksm.run !== 1 || usedBytes === 0) return ok(found);
    return note(
      `${found}, which merging splits where parts are equal; ${formatBytes(savingsOf(ksm, pageSize.bytes).savedBytes)} saved so far`,
    );
  },
});

const zeroPages = check({
  id: 'zero-pages',
  title: 'Zero pages',
  why:
    'Since Linux 6.12 splitting a huge page frees its zero pages. With use_zero_pages=0 ksmd is blocked by the first of them ' +
    'until its next pass, so that next to nothing merges where guests have zero pages in huge pages. Before 6.6 pages that ' +
    'were mapped to the zero page are neither counted nor given back by unmerging. Where guests write to one page of many ' +
    'that are empty, khugepaged makes a huge page of them and fills the others with zeros. With redhat_only_zero_pages=1 ' +
    '(RHEL 9.9) KSM merges zero pages and nothing else, for less CPU time: enough for Windows guests, not for Linux guests.',
  needs: ['ksm', 'configuration', 'pageSize'],
  judge: (
    {
      ksm,
      configuration: {
        values: { KSM_USE_ZERO_PAGES: choice },
      },
      pageSize,
    },
    facts,
  ) => {
    const { run, useZeroPages, ksmZeroPages } = ksm;
    if (ksm.redhatOnlyZeroPages === 1) {
      return note(
        'redhat_only_zero_pages=1: KSM merges zero pages only, whatever use_zero_pages is; other equal pages stay unmerged',
        setKsm('redhat_only_zero_pages', 0),
      );
    }
    if (useZeroPages === undefined) return ok('this kernel has no use_zero_pages');
    const found = `use_zero_pages=${useZeroPages}, KSM_USE_ZERO_PAGES=${choice}`;
    if (ksmZeroPages === undefined) {
      return choice === 1
        ? note(
            `${found}: what it gives back is not counted, and unmerging does not undo it`,
            ...reconfigure(facts, AUTO),
          )
        : ok(found);
    }
    const huge = valueOf(facts.transparentHugepages);
    const blocks = huge !== undefined && huge.splitFreesZeros && (huge.mode !== 'never' || huge.usedBytes > 0);
    if (blocks && run === 1 && useZeroPages === 0 && !daemonRuns(facts)) {
      return problem(`use_zero_pages=0: ${BLOCKED}`, setKsm('use_zero_pages', 1));
    }
    const isOff = choice === 0 || (choice === 'keep' && useZeroPages === 0);
    if (blocks && isOff) return problem(`${found}: ${BLOCKED}`, ...reconfigure(facts, AUTO));
    const freedBytes = valueOf(facts.daemon)?.freedBytes ?? 0;
    const givenBytes = freedBytes + Math.max(ksmZeroPages, 0) * pageSize.bytes;
    const emptyPages = huge?.mode === 'never' ? 0 : (ksm.khugepagedMaxPtesNone ?? 0);
    if (givenBytes === 0 || emptyPages === 0) return ok(found);
    return note(
      `${found}; khugepaged may take back what zero pages gave (${formatBytes(givenBytes)}) as guests write beside them (max_ptes_none=${emptyPages})`,
      ...change(facts, 'KSM_THP_MAX_PTES_NONE=0', `echo 0 > /sys/kernel/mm/${ksmFile('khugepagedMaxPtesNone')}`),
    );
  },
});

const BLOCKED = 'zero pages in huge pages keep ksmd from merging on this kernel';
const AUTO = 'KSM_USE_ZERO_PAGES=auto';

export const MERGING_CHECKS: readonly Check[] = [profit, sharingLimit, transparentHugepages, zeroPages];
