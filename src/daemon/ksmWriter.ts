import { type KsmSettings, type KsmWrite, ksmFile } from '../core/ksm.js';
import type { Problem } from '../core/sample.js';
import { messageOf } from '../errors.js';
import { silentMount } from '../host/fuse.js';
import { hangs } from '../host/inTime.js';
import type { KsmDirectory } from '../host/ksm.js';
import { NODE_MEMORY_PARAMETER, type NodeMemorySetting } from '../libvirt/enums.js';
import type { Libvirt } from '../libvirt/libvirt.js';

/** ksmd's batch takes milliseconds, or seconds where somebody chose it so. */
const WRITE_MILLIS = 30_000;
/** At the end there is less time for each setting, */
const LAST_WRITE_MILLIS = 2000;
/** and hardly any once one has not answered. */
const HURRIED_WRITE_MILLIS = 300;

/** Writes settings through libvirt and to sysfs, each in its time. What cannot be written is a problem and never an error. */
export class KsmWriter {
  private readonly ksm: KsmDirectory;
  private readonly libvirt: () => Promise<Libvirt | undefined>;
  private isStopped = false;
  private unmerges = false;

  /** @param libvirt libvirt where it is up; what it can set is set through it. */
  constructor(ksm: KsmDirectory, libvirt: () => Promise<Libvirt | undefined>) {
    this.ksm = ksm;
    this.libvirt = libvirt;
  }

  /** Whether it waits for everything to be unmerged, which takes minutes where much is shared. */
  get isUnmerging(): boolean {
    return this.unmerges;
  }

  /** From now on writeAll writes nothing more. */
  stop(): void {
    this.isStopped = true;
  }

  /** What libvirt can set goes to it in one call; all else, and what it refuses, to sysfs. The order is kept. */
  async writeAll(writes: readonly KsmWrite[]): Promise<readonly Problem[]> {
    const libvirt = await this.libvirt();
    const first = writes.findIndex(({ setting }) => setting in NODE_MEMORY_PARAMETER);
    if (libvirt === undefined || first < 0) return this.writeToSysfs(writes);
    const rest = writes.slice(first);
    return [
      ...(await this.writeToSysfs(writes.slice(0, first))),
      ...(await this.writeByLibvirt(
        libvirt,
        rest.filter(({ setting }) => setting in NODE_MEMORY_PARAMETER),
      )),
      ...(await this.writeToSysfs(rest.filter(({ setting }) => !(setting in NODE_MEMORY_PARAMETER)))),
    ];
  }

  /** The last writes, each by itself and straight to sysfs. None is waited for long, but for an unmerge. */
  async writeBack(writes: readonly KsmWrite[]): Promise<readonly Problem[]> {
    const problems: Problem[] = [];
    for (const write of writes) {
      problems.push(...(await this.write(write, hangs() ? HURRIED_WRITE_MILLIS : LAST_WRITE_MILLIS)));
    }
    return problems;
  }

  /** What the kernel shows after writes; nothing where it does not answer. */
  async readBack(): Promise<KsmSettings> {
    return (await silentMount(this.ksm.path)) === undefined ? this.ksm.readSettings() : {};
  }

  private async writeByLibvirt(libvirt: Libvirt, writes: readonly KsmWrite[]): Promise<readonly Problem[]> {
    const values = Object.fromEntries(writes.map(({ setting, to }) => [setting as NodeMemorySetting, Number(to)]));
    try {
      await libvirt.setNodeMemory(values);
      return [];
    } catch (error) {
      const failed = await this.writeToSysfs(writes);
      const sentence = `libvirt refused to set the node memory parameters (${messageOf(error)}): they are written to ${this.ksm.path}`;
      return [{ subject: 'libvirt node memory parameters', sentence }, ...failed];
    }
  }

  private async writeToSysfs(writes: readonly KsmWrite[]): Promise<readonly Problem[]> {
    const problems: Problem[] = [];
    for (const write of writes) {
      if (this.isStopped) break;
      problems.push(...(await this.write(write, WRITE_MILLIS)));
    }
    return problems;
  }

  private async write({ setting, to }: KsmWrite, patienceMillis: number): Promise<readonly Problem[]> {
    const unmerges = setting === 'run' && to === 2;
    this.unmerges = unmerges;
    try {
      await this.ksm.write(setting, to, unmerges ? Infinity : patienceMillis);
      return [];
    } catch (error) {
      return [{ subject: ksmFile(setting), sentence: messageOf(error) }];
    } finally {
      this.unmerges = false;
    }
  }
}
