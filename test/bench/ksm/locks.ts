import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { PROGRAM } from '../../support/cpio.js';
import { consoleOf, partsOf, restOf } from '../../support/kernels/boot.js';
import { KERNELS } from '../../support/kernels/catalogue.js';
import { archive, compile } from '../../support/kernels/initramfs.js';
import { kernelImage } from '../../support/kernels/kernelImage.js';
import { removeScratch, scratchDirectory } from '../../support/scratch.js';

/**
 * `npm run bench:locks`: how long a guest's mmap(), its start and its end, and a write to `run` wait for a ksmd that others keep
 * from the CPU, by ksmd's scheduling class, the pages per batch and the kernel's preemption mode. One of Debian's kernels is booted in
 * QEMU for each mode. This machine's KSM is not touched, and neither root nor KVM is needed.
 */

const { values } = parseArgs({
  options: {
    kernel: { type: 'string', default: '6.12' },
    preempt: { type: 'string', default: 'none,voluntary,full' },
    pages: { type: 'string', default: '10,100,1000,3000,10000' },
    seconds: { type: 'string', default: '20' },
  },
});

const SOURCE = 'test/bench/ksm/locks.c';
/**
 * QEMU counts an instruction as a nanosecond, of both processors together. So what else this machine does changes no figure, and
 * ksmd is some ten times slower than on a real processor.
 */
const COUNTED = ['-accel', 'tcg,thread=single', '-icount', 'shift=0,sleep=off'];
const CLASSES = 3;
/** Of real time for a second there, at the most. */
const MOST_SLOWDOWN = 30;
const BOOT_SECONDS = 120;

/** How often, and the median, the 99th percentile and the longest in milliseconds. */
type Waits = readonly [count: number, ...millis: number[]];

interface Kernel {
  readonly release: string;
  /** The mode in force is in brackets. */
  readonly preempt: string;
}

interface Case {
  readonly ksmd: string;
  readonly pages: number;
  readonly percent: number;
  readonly scanned: number;
  /** The longest that ksmd was ready and had no CPU, milliseconds. */
  readonly longestGap: number;
  readonly map: Waits;
  readonly start: Waits;
  readonly end: Waits;
  readonly stop: Waits;
  readonly go: Waits;
}

const COLUMNS = ['kernel', 'preemption', 'ksmd', 'pages', '% of a core', 'pages scanned', 'longest gap'];
const PROBES = ['map', 'start', 'end', 'stop', 'go'] as const;

function row(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |\n`;
}

/** Three digits. */
function millisText(millis: number): string {
  return millis >= 100 ? millis.toFixed(0) : millis >= 1 ? millis.toFixed(1) : millis.toFixed(2);
}

function waitsText([count, ...millis]: Waits): string {
  return count === 0 ? '' : `${count}: ${millis.map(millisText).join(', ')}`;
}

function rowOf(release: string, mode: string, { ksmd, pages, percent, scanned, longestGap, ...waits }: Case): string {
  const cells = [release, mode, ksmd, String(pages), percent.toFixed(1), String(scanned), millisText(longestGap)];
  return row([...cells, ...PROBES.map((probe) => waitsText(waits[probe]))]);
}

async function measure(mode: string, image: string): Promise<string> {
  const scratch = await scratchDirectory('locks');
  try {
    const init = await compile('amd64', SOURCE, join(scratch, 'init'));
    const pages = values.pages.split(',');
    const console = await consoleOf(
      {
        architecture: 'amd64',
        image,
        initramfs: archive([{ name: 'init', mode: PROGRAM, content: init }]),
        accelerator: COUNTED,
        commandLine: `preempt=${mode} -- ${values.seconds} ${pages.join(' ')}`,
        seconds: BOOT_SECONDS + MOST_SLOWDOWN * Number(values.seconds) * (1 + CLASSES * pages.length),
      },
      scratch,
    );
    const [kernel, ...cases] = partsOf(console) as [Kernel | undefined, ...Case[]];
    if (kernel?.preempt.includes(`(${mode})`) !== true || cases.length <= CLASSES * pages.length) {
      throw new Error(`preempt=${mode}: it did not get to the end\n${restOf(console)}`);
    }
    return cases.map((each) => rowOf(kernel.release, mode, each)).join('');
  } finally {
    await removeScratch(scratch);
  }
}

const kernel = KERNELS.find(({ name, architecture }) => name === values.kernel && architecture === 'amd64');
if (kernel === undefined) throw new Error(`there is no kernel ${values.kernel} for x86-64`);
const image = await kernelImage(kernel);
const measured = await Promise.all(values.preempt.split(',').map((mode) => measure(mode, image)));
const header = [...COLUMNS, ...PROBES];
process.stdout.write('Waits: how often; the median, the 99th percentile and the longest in milliseconds.\n\n');
process.stdout.write(row(header) + row(header.map(() => '---')) + measured.join(''));
