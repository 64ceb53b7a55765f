import type { Decision } from './core/decision.js';
import { formatBytes } from './core/format.js';
import {
  type KsmSetting,
  type KsmSettings,
  type KsmState,
  type KsmWrite,
  changedByOthers,
  ksmFile,
  ksmWrites,
  savedBytes,
} from './core/ksm.js';
import type { MemoryFigures } from './core/memory.js';
import type { Problem } from './core/problem.js';
import type { Applied } from './core/retune.js';
import type { Sample } from './core/sample.js';
import { messageOf } from './errors.js';
import type { KsmDirectory } from './host/ksm.js';
import type { Ledger } from './host/ledger.js';
import { NODE_MEMORY_PARAMETER, type NodeMemorySetting } from './libvirt/enums.js';
import type { Libvirt } from './libvirt/connect.js';

export type OnExit = 'restore' | 'leave' | 'stop' | 'unmerge';

/** Unmerging must leave this part of the available memory free: ksmd and the guests go on allocating meanwhile. */
const UNMERGE_MARGIN = 0.1;

export interface TunerOptions {
  readonly ksm: KsmDirectory;
  /** Undefined in a dry run: nothing is written. */
  readonly ledger: Ledger | undefined;
  /** libvirt where it is up; what it can set is set through it. */
  readonly libvirt: () => Promise<Libvirt | undefined>;
}

/** Brings the kernel to what was decided, and back to what it was. */
export class Tuner {
  private readonly ksm: KsmDirectory;
  private readonly ledger: Ledger | undefined;
  private readonly libvirt: TunerOptions['libvirt'];
  /** What was set so far; in a dry run what would have been. */
  private set: KsmSettings = {};

  constructor({ ksm, ledger, libvirt }: TunerOptions) {
    this.ksm = ksm;
    this.ledger = ledger;
    this.libvirt = libvirt;
  }

  /** Writes what differs, reads it back and says what did not go as it should. */
  async apply(decision: Decision, sample: Sample): Promise<Applied> {
    if (this.ledger === undefined) {
      const writes = ksmWrites({ ...sample.ksm, ...this.set }, decision.settings);
      this.set = { ...this.set, ...asSettings(writes) };
      return { writes, problems: [] };
    }
    const problems: Problem[] = changedByOthers(this.set, sample.ksm).map(({ setting, set, found }) => ({
      subject: `${ksmFile(setting)} changed by others`,
      sentence: `${ksmFile(setting)} is ${found} but samepaged had set it to ${set}: something else changed it`,
    }));
    const writes = ksmWrites(sample.ksm, decision.settings);
    if (writes.length === 0) return { writes, problems };

    problems.push(...recordIn(this.ledger, writes));
    problems.push(...(await this.writeAll(writes)));
    const after = this.ksm.read();
    const took = writes.filter(({ setting, to }) => after[setting] === to);
    this.set = { ...sameAs(this.set, after), ...asSettings(took) };
    return { writes: took, problems: [...problems, ...notTaken(writes, after, problems)] };
  }

  /**
   * Gives the kernel back, as KSM_ON_EXIT says: `restore` puts back everything that was changed, `stop` and `unmerge` do so
   * but leave ksmd stopped (run=0) or undo all merging (run=2), `leave` changes nothing. Goes straight to sysfs: libvirt may
   * be the reason for the end.
   */
  async restore(onExit: OnExit, memory: () => MemoryFigures, pageSizeBytes: number): Promise<Applied> {
    if (this.ledger === undefined || onExit === 'leave') return { writes: [], problems: [] };
    const problems: Problem[] = [];
    const wanted: { [K in KsmSetting]?: KsmSettings[K] } = this.ledger.toRestore();
    if (onExit === 'stop') wanted.run = 0;
    if (onExit === 'unmerge') {
      const obstacle = unmergeObstacle(this.ksm.read(), memory(), pageSizeBytes);
      wanted.run = obstacle === undefined ? 2 : 0;
      if (obstacle !== undefined) problems.push(problem('run', obstacle));
    }
    const writes = ksmWrites(this.ksm.readSettings(), wanted);
    problems.push(...(await this.writeToSysfs(writes)));
    const after = this.ksm.readSettings();
    problems.push(...notTaken(writes, after, problems));
    if (onExit === 'restore' && problems.length === 0) this.ledger.clear();
    return { writes: writes.filter(({ setting, to }) => after[setting] === to), problems };
  }

  /** What libvirt can set goes to it in one call; all else, and what it refuses, to sysfs. The order is kept. */
  private async writeAll(writes: readonly KsmWrite[]): Promise<readonly Problem[]> {
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
    for (const { setting, to } of writes) {
      try {
        await this.ksm.write(setting, to);
      } catch (error) {
        problems.push({ subject: ksmFile(setting), sentence: messageOf(error) });
      }
    }
    return problems;
  }
}

function recordIn(ledger: Ledger, writes: readonly KsmWrite[]): readonly Problem[] {
  try {
    ledger.record(writes.map(({ setting }) => setting));
    return [];
  } catch (error) {
    const sentence = `${ledger.file} cannot be written (${messageOf(error)}): what the host had before would be lost in a crash`;
    return [{ subject: 'ledger', sentence }];
  }
}

function asSettings(writes: readonly KsmWrite[]): KsmSettings {
  return Object.fromEntries(writes.map(({ setting, to }) => [setting, to]));
}

/** Those of `set` that the kernel still shows: what somebody else changed is complained of once. */
function sameAs(set: KsmSettings, state: KsmState): KsmSettings {
  return Object.fromEntries(Object.entries(set).filter(([setting, value]) => state[setting as KsmSetting] === value));
}

/** Writes that were accepted and yet are not what the kernel shows; the advisor sets pages_to_scan by itself. */
function notTaken(writes: readonly KsmWrite[], after: KsmSettings, known: readonly Problem[]): readonly Problem[] {
  const complained = new Set(known.map(({ subject }) => subject));
  return writes
    .filter(({ setting, to }) => after[setting] !== to && !complained.has(ksmFile(setting)))
    .filter(({ setting }) => setting !== 'pagesToScan' || after.advisorMode !== 'scan-time')
    .map(({ setting, to }) => problem(setting, `was set to ${to} but shows ${after[setting]}`));
}

function problem(setting: KsmSetting, what: string): Problem {
  return { subject: ksmFile(setting), sentence: `${ksmFile(setting)} ${what}` };
}

/** Why unmerging everything could take the host out of memory, or undefined when it fits. Swap does not count. */
function unmergeObstacle(state: KsmState, memory: MemoryFigures, pageSizeBytes: number): string | undefined {
  const needed = savedBytes(state, pageSizeBytes);
  const available = (memory.memAvailableBytes ?? memory.memFreeBytes) * (1 - UNMERGE_MARGIN);
  if (needed <= available) return undefined;
  return `is set to 0 instead of 2: unmerging needs ${formatBytes(needed)} and ${formatBytes(available)} are available`;
}
