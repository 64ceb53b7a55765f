import { execFile } from 'node:child_process';
import { setPriority } from 'node:os';
import { writeFile } from 'node:fs/promises';
import type { KsmdSched } from '../core/ksm.js';
import { errnoOf, messageOf } from '../errors.js';
import { pidOf } from './processes.js';
import { MalformedError, type Root, readTextIfThere } from './sysfs.js';

/** The numbers of SCHED_* of sched(7) in /proc/PID/stat; the real-time ones are left alone. */
const POLICIES: ReadonlyMap<string, Policy> = new Map([
  ['0', 'other'],
  ['3', 'batch'],
  ['5', 'idle'],
]);
type Policy = 'other' | 'batch' | 'idle';
/** PF_KTHREAD of the kernel's sched.h: anybody can call his program ksmd. */
const KERNEL_THREAD = 0x00200000;
/** Fields of /proc/PID/stat as proc(5) counts them, but for those before the name's end. */
const FIELD = { flags: 9 - 3, nice: 19 - 3, policy: 41 - 3 } as const;
const CHRT_MILLIS = 2000;
/** ksmd's batch takes some 10 ms where it has a CPU. */
const BATCH_MILLIS = 100;
/** What a kernel thread of nice 0 has: whoever waits for ksmd waits no longer than for that. */
const HURRIED: KsmdSched = 'other 0';

/** The kernel's KSM thread: its CPU time and its scheduling class. */
export class Ksmd {
  private readonly root: Root;
  private found: { readonly pid: number | undefined } | undefined;
  /** Whether its class was set here, and whether that was refused. */
  private outcome: 'set' | 'refused' | undefined;

  constructor(root: Root) {
    this.root = root;
  }

  /**
   * CPU time used, and time waited for a CPU, since boot, in nanoseconds (the first two fields of /proc/PID/schedstat);
   * undefined where it cannot be seen, as in a container.
   */
  times(): { readonly cpuNanos: number; readonly waitNanos: number } | undefined {
    const path = this.fileOf('schedstat');
    const text = path === undefined ? undefined : readTextIfThere(path);
    if (path === undefined || text === undefined) return undefined;
    const [, running, waiting] = /^(\d+) (\d+) \d+$/.exec(text) ?? [];
    if (running === undefined || waiting === undefined) throw new MalformedError(path, 'three numbers', text);
    // Beyond 2^53 ns, 104 days, the last digits are lost, and nobody misses them.
    return { cpuNanos: Number(running), waitNanos: Number(waiting) };
  }

  /** Undefined where it cannot be seen, or may not be set, and for a real-time policy. */
  sched(): KsmdSched | undefined {
    const fields = this.outcome === 'refused' ? undefined : this.stat()?.fields;
    const policy = POLICIES.get(fields?.[FIELD.policy] ?? '');
    const isThread = (Number(fields?.[FIELD.flags]) & KERNEL_THREAD) !== 0;
    return policy === undefined || !isThread ? undefined : `${policy} ${Number(fields?.[FIELD.nice])}`;
  }

  /**
   * Node cannot set a scheduling policy, so chrt(1) of util-linux does, in the few cases where it changes. In a copy of a host's
   * files the file takes the values.
   *
   * @throws Error that says why not; from then on sched() says that it cannot be set.
   */
  async setSched(wanted: KsmdSched): Promise<void> {
    const pid = this.pid();
    if (pid === undefined) throw new Error("ksmd's scheduling cannot be set: ksmd cannot be seen here");
    try {
      await (this.root === '' ? setClass(pid, this.sched(), wanted) : this.writeCopy(wanted));
      this.outcome = 'set';
    } catch (error) {
      this.outcome = 'refused';
      const hint = isForbidden(error) ? ' (CAP_SYS_NICE is needed)' : '';
      const sentence = `ksmd's scheduling cannot be set to ${wanted}: ${messageOf(error)}${hint}: it is left alone`;
      throw new Error(sentence, { cause: error });
    }
  }

  /**
   * Does `work` that waits for ksmd's batch. Where its class was set here, and the CPUs are busy, a batch can take seconds: ksmd
   * is hurried then, and has its class again after.
   */
  async hurried(work: () => Promise<void>): Promise<void> {
    const sched = this.outcome === 'set' ? this.sched() : undefined;
    if (sched === undefined) return work();
    let hurry: Promise<void> | undefined;
    const late = setTimeout(() => {
      hurry = this.setSched(HURRIED).catch(() => undefined);
    }, BATCH_MILLIS);
    try {
      await work();
    } finally {
      clearTimeout(late);
      if (hurry !== undefined) {
        await hurry;
        await this.setSched(sched).catch(() => undefined);
      }
    }
  }

  private pid(): number | undefined {
    // A kernel thread, which the kernel starts before any program.
    this.found ??= { pid: pidOf(this.root, 'ksmd') };
    return this.found.pid;
  }

  private fileOf(name: 'schedstat' | 'stat'): string | undefined {
    const pid = this.pid();
    return pid === undefined ? undefined : `${this.root}/proc/${pid}/${name}`;
  }

  private stat(): { readonly path: string; readonly head: string; readonly fields: readonly string[] } | undefined {
    const path = this.fileOf('stat');
    const text = path === undefined ? undefined : readTextIfThere(path);
    if (path === undefined || text === undefined) return undefined;
    // The name may hold spaces.
    const end = text.lastIndexOf(')') + 2;
    return { path, head: text.slice(0, end), fields: text.slice(end).split(' ') };
  }

  private async writeCopy(wanted: KsmdSched): Promise<void> {
    const [policy, nice = ''] = wanted.split(' ');
    const number = [...POLICIES].find(([, name]) => name === policy)?.[0] ?? '';
    const stat = this.stat();
    if (stat === undefined) throw new Error('it has gone');
    const fields = stat.fields.with(FIELD.nice, nice).with(FIELD.policy, number);
    await writeFile(stat.path, `${stat.head}${fields.join(' ')}\n`);
  }
}

async function setClass(pid: number, now: KsmdSched | undefined, wanted: KsmdSched): Promise<void> {
  const [policy = '', nice] = wanted.split(' ');
  if (now?.split(' ')[0] !== policy) await chrt(`-${policy.charAt(0)}`, '-p', '0', String(pid));
  setPriority(pid, Number(nice));
}

function chrt(...args: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    execFile('chrt', args, { timeout: CHRT_MILLIS, env: { ...process.env, LC_ALL: 'C' } }, (error, _stdout, stderr) => {
      if (error === null) resolve();
      else if (error.code === 'ENOENT') reject(new Error('the command chrt (util-linux) is not there'));
      else reject(new Error(stderr.trim() === '' ? messageOf(error) : stderr.trim()));
    });
  });
}

function isForbidden(error: unknown): boolean {
  return ['EPERM', 'EACCES'].includes(errnoOf(error) ?? '') || messageOf(error).includes('not permitted');
}
