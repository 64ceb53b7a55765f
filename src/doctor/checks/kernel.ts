import { formatBytes } from '../../core/format.js';
import type { KsmState } from '../../core/ksm.js';
import { savingsOf } from '../../core/savings.js';
import { type Check, check, note, ok, problem, unanswered, valueOf } from '../check.js';
import type { PerProcessFile } from '../guestFacts.js';
import { configFileOf } from '../remedies.js';

const inKernel = check({
  id: 'ksm-in-kernel',
  title: 'KSM in the kernel',
  why: 'Without KSM in the kernel no page is ever merged, whatever tunes it.',
  needs: [],
  judge: (_values, { ksm, kernelRelease, pageSize, uksm }) => {
    if (valueOf(uksm) === true) {
      return problem(
        'this kernel has UKSM, which merges by itself whatever KSM does',
        'echo 0 > /sys/kernel/mm/uksm/run',
      );
    }
    if (ksm.state === 'unknown') return unanswered(ksm.reason);
    const release = valueOf(kernelRelease);
    if (ksm.state === 'absent') {
      const which = release === undefined ? 'this kernel' : `kernel ${release}`;
      return problem(
        `${ksm.reason}: ${which} was built without KSM`,
        'grep CONFIG_KSM= /boot/config-$(uname -r)   # boot one where it is y',
      );
    }
    const size = valueOf(pageSize)?.bytes;
    const saved = size === undefined ? '' : `, ${formatBytes(savingsOf(ksm.value, size).savedBytes)} saved`;
    return ok(`run=${ksm.value.run}, ${RUN[ksm.value.run] ?? 'a state unknown here'}${saved}`);
  },
});

const RUN: Readonly<Record<number, string>> = {
  0: 'ksmd rests',
  1: 'ksmd merges',
  2: 'everything was unmerged',
};

/**
 * What came to KSM over the years, and with which Linux. Sources: Documentation/ABI/testing/sysfs-kernel-mm-ksm, mm/ksm.c
 * and fs/proc/base.c of 6.1, 6.2, 6.6, 6.12 and 6.18.
 */
const FEATURES: readonly (readonly [string, string, (ksm: KsmState, file: PerProcessFile | undefined) => boolean])[] = [
  ['general_profit', '6.4', ({ generalProfit }) => generalProfit !== undefined],
  ['ksm_zero_pages', '6.6', ({ ksmZeroPages }) => ksmZeroPages !== undefined],
  ['smart_scan', '6.7', ({ smartScan }) => smartScan !== undefined],
  ['advisor', '6.8', ({ advisorMode }) => advisorMode !== undefined],
];

/** Of one process: its merged pages since 5.19, and more since 6.1. */
const PER_PROCESS: Readonly<Record<PerProcessFile, string>> = {
  ksm_stat: 'ksm_stat for each guest',
  ksm_merging_pages: 'ksm_merging_pages for each guest',
  none: 'nothing for each guest (Linux 5.19)',
};

const features = check({
  id: 'kernel-features',
  title: 'Kernel features',
  why:
    'samepaged cannot set what the kernel lacks, and figures that the kernel does not give are estimated or missing. A file ' +
    'that samepaged does not know may change what KSM does; samepaged neither reads nor sets it.',
  needs: ['ksm', 'kernelRelease'],
  judge: ({ ksm, kernelRelease }, { perProcessFile, configuration, unknownKsmFiles, daemon }) => {
    const file = valueOf(perProcessFile);
    const has = FEATURES.filter(([, , present]) => present(ksm, file)).map(([name]) => name);
    const lacks = FEATURES.filter(([name]) => !has.includes(name)).map(([name, since]) => `${name} (Linux ${since})`);
    const perProcess = file === undefined ? [] : [PER_PROCESS[file]];
    const parts = [
      ...(has.length + perProcess.length === 0 ? [] : [`has ${[...has, ...perProcess].join(', ')}`]),
      ...(lacks.length === 0 ? [] : [`lacks ${lacks.join(', ')}`]),
    ];
    const unknown = valueOf(unknownKsmFiles) ?? [];
    const strange = unknown.length === 0 ? '' : `; samepaged does not know ${unknown.join(', ')} of /sys/kernel/mm/ksm`;
    const found = `${kernelRelease} ${parts.join('; ')}${strange}`;
    if (valueOf(configuration)?.values.KSM_POLICY === 'advisor' && ksm.advisorMode === undefined) {
      return problem(`KSM_POLICY=advisor, but ${found}`, `KSM_POLICY=ksmtuned   # in ${configFileOf({ daemon })}`);
    }
    return unknown.length === 0 ? ok(found) : note(found);
  },
});

/** ksmtuned's numbers of pages were chosen where a page has 4096 bytes: its KSM_NPAGES_MAX of 1250 is 4.9 MiB a batch. */
const USUAL_PAGE_BYTES = 4096;
const USUAL_PAGES_MAX = 1250;

const pageSize = check({
  id: 'page-size',
  title: 'Page size',
  why:
    'KSM merges whole pages: the larger they are, the fewer are equal. pages_to_scan counts them, so numbers made for ' +
    'pages of 4 KiB scan more at a time.',
  needs: ['pageSize', 'configuration'],
  judge: ({ pageSize: { bytes, assumed }, configuration }, facts) => {
    if (assumed) return unanswered('proc/self/auxv is not there: 4096 bytes are assumed');
    const size = `pages of ${formatBytes(bytes)}`;
    const factor = bytes / USUAL_PAGE_BYTES;
    const batchBytes = configuration.values.KSM_NPAGES_MAX * bytes;
    if (factor <= 1 || batchBytes <= USUAL_PAGES_MAX * USUAL_PAGE_BYTES) return ok(size);
    return note(
      `${size}: a full batch of KSM_NPAGES_MAX=${configuration.values.KSM_NPAGES_MAX} is ${formatBytes(batchBytes)}`,
      `# in ${configFileOf(facts)}, for the pace of a host with pages of 4 KiB:`,
      `KSM_NPAGES_MIN=${64 / factor}`,
      `KSM_NPAGES_MAX=${Math.floor(USUAL_PAGES_MAX / factor)}`,
      `KSM_NPAGES_BOOST=${Math.floor(300 / factor)}`,
      `KSM_NPAGES_DECAY=${-Math.floor(50 / factor)}`,
    );
  },
});

export const KERNEL_CHECKS: readonly Check[] = [inKernel, features, pageSize];
