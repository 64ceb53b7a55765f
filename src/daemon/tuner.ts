import type { Decision } from '../core/decision.js';
import { type KsmSetting, type KsmSettings, type KsmWrite, changedByOthers, ksmFile, settingsIn } from '../core/ksm.js';
import type { Problem, Sample } from '../core/sample.js';
import type { Applied, Plan } from '../core/retune.js';
import { silentMount } from '../host/fuse.js';
import type { KsmDirectory } from '../host/ksm.js';
import type { Ledger } from '../state/ledger.js';
import type { Libvirt } from '../libvirt/libvirt.js';
import { type Disputed, Disputes, type FindOthers } from './disputes.js';
import { KsmWriter } from './ksmWriter.js';
import { cedeIn, leaveIn, recordIn, releaseIn } from './ledgerNotes.js';
import { Owners } from './ownership.js';
import { type PlanOptions, type Planned, type SharedKsm, planWrites, settingProblem } from './planWrites.js';

export type OnExit = 'restore' | 'leave' | 'stop' | 'unmerge';

export interface TunerOptions {
  readonly ksm: KsmDirectory;
  /** Undefined in a dry run: nothing is written. */
  readonly ledger: Ledger | undefined;
  /** libvirt where it is up; what it can set is set through it. */
  readonly libvirt: () => Promise<Libvirt | undefined>;
  /** Why everything may not be unmerged now; undefined when it fits into memory. */
  readonly unmergeObstacle: () => string | undefined;
  /** What else tunes KSM here. */
  readonly others: FindOthers;
  /** Asked when something else has changed a setting: whether all is left to it, because samepaged is about to stand by. */
  readonly givesUp?: () => Promise<boolean>;
}

/**
 * Brings the kernel to what was decided, and back to what it was.
 *
 * INVARIANTS: nothing is written that the ledger does not have; run=2, whoever asks for it, is written only when what is
 * saved fits into memory or an administrator forced it. What cannot be done is a problem and never an error.
 */
export class Tuner {
  private readonly ksm: KsmDirectory;
  private readonly ledger: Ledger | undefined;
  private readonly writer: KsmWriter;
  private readonly unmergeObstacle: TunerOptions['unmergeObstacle'];
  private readonly owners: Owners;
  private readonly disputes: Disputes;
  private readonly givesUp: () => Promise<boolean>;
  /** Under which the last decision was made. */
  private plan: Plan | undefined;
  /** What was set so far; in a dry run what would have been. */
  private set: KsmSettings = {};
  /** The latest note in the ledger of what is about to be set. */
  private recording: Promise<unknown> | undefined;
  private isEnding = false;

  constructor({ ksm, ledger, libvirt, unmergeObstacle, others, givesUp }: TunerOptions) {
    this.ksm = ksm;
    this.ledger = ledger;
    this.writer = new KsmWriter(ksm, libvirt);
    this.unmergeObstacle = unmergeObstacle;
    this.owners = new Owners(ledger?.toRestore() ?? {});
    this.disputes = new Disputes(others);
    this.givesUp = givesUp ?? (() => Promise.resolve(false));
  }

  /** Whether the end waits for everything to be unmerged, which takes minutes where much is shared. */
  get endsLate(): boolean {
    return this.isEnding && this.writer.isUnmerging;
  }

  /** Writes what differs, reads it back and says what did not go as it should. Once restore() has begun it writes nothing. */
  async apply(decision: Decision, sample: Sample, plan: Plan): Promise<Applied> {
    const ksm = this.ledger === undefined ? { ...sample.ksm, ...this.set } : sample.ksm;
    const disputed = await this.disputed(ksm, plan, sample.monotonicMillis);
    const { due, back } = this.owners.handBack(decision, plan, this.ledger?.toRestore() ?? sample.ksm, ksm);
    const planned = this.planned(ksm, without({ ...due, ...plan.settings, ...decision.settings }, disputed.left), {
      remedy: 'samepagectl unmerge, then resume',
      isForced: decision.isForced === true,
      unmergesToApply: plan.unmergesToApply,
    });
    const { writes, wanted } = planned;
    const problems = [...disputed.problems, ...planned.problems];
    const noted = { problems, ...(disputed.left.length > 0 ? { left: disputed.left } : {}) };
    this.set = without(this.set, [...back, ...disputed.left]);
    if (this.ledger === undefined) this.set = { ...this.set, ...asSettings(writes) };
    else problems.push(...(await releaseIn(this.ledger, back)), ...(await cedeIn(this.ledger, disputed.ceded)));
    if (this.ledger === undefined) return { dryRun: true, writes, ...noted };
    if (writes.length === 0) {
      this.set = sameAs({ ...this.set, ...wanted }, ksm);
      return { writes, ...noted };
    }
    if (this.isEnding) return { writes: [], ...noted };

    const recording = recordIn(this.ledger, writes);
    this.recording = recording;
    const unrecorded = await recording;
    if (unrecorded.length > 0) return { writes: [], ...noted, problems: [...problems, ...unrecorded] };
    if (this.hasToEnd()) return { writes: [], ...noted };
    problems.push(...(await this.writer.writeAll(writes)));
    const after = await this.writer.readBack();
    const took = writes.filter((write) => after[write.setting] === write.to || !isFinal(write, writes));
    this.set = sameAs({ ...this.set, ...wanted, ...asSettings(took) }, after);
    const failed = writes.filter((write) => !took.includes(write));
    return { writes: took, failed, ...noted, problems: [...problems, ...notTaken(writes, after, problems)] };
  }

  /** Asked again after each wait. */
  private hasToEnd(): boolean {
    return this.isEnding;
  }

  /** What something else has changed since the last decision. A new plan is an administrator's word: it ends each dispute. */
  private async disputed(ksm: KsmSettings, plan: Plan, nowMillis: number): Promise<Disputed> {
    const isNew = plan !== this.plan;
    if (isNew) this.disputes.forget();
    this.plan = plan;
    const foreign = changedByOthers(this.set, ksm);
    const yields = foreign.length > 0 && (await this.givesUp());
    const onConflict = yields ? 'yield' : isNew ? 'reassert' : plan.onConflict;
    return this.disputes.take(foreign, onConflict, nowMillis);
  }

  /**
   * Gives the kernel back, as KSM_ON_EXIT says: `restore` puts back everything that was changed, `stop` and `unmerge` do so
   * but leave ksmd stopped (run=0) or undo all merging (run=2), `leave` changes nothing. Each setting goes back by itself,
   * whatever becomes of the others, and none is waited for long, but for an unmerge. Goes straight to sysfs: libvirt may be
   * the reason for the end.
   */
  async restore(onExit: OnExit): Promise<Applied> {
    if (this.ledger === undefined) return { writes: [], problems: [] };
    this.isEnding = true;
    this.writer.stop();
    // What it notes is put back as well, or the next samepaged would believe that it was set.
    await this.recording;
    if (onExit === 'leave') return { writes: [], problems: await leaveIn(this.ledger) };
    const before = this.ledger.toRestore();
    const wanted = onExit === 'restore' ? before : { ...before, run: onExit === 'stop' ? 0 : 2 };
    const silent = await silentMount(this.ksm.path);
    const { state, problems } = silent === undefined ? this.stateFor(wanted) : unreadState(wanted, silent);
    const planned = this.planned(state, wanted, {
      remedy: `write it by hand after echo 2 > ${this.ksm.path}/run`,
      isForced: false,
      unmergesToApply: this.plan?.unmergesToApply === true,
    });
    problems.push(...planned.problems, ...(await this.writer.writeBack(planned.writes)));
    const after = await this.writer.readBack();
    problems.push(...notTaken(planned.writes, after, problems));
    const back = settingsIn(before).filter((setting) => after[setting] === before[setting]);
    problems.push(...(await (onExit === 'restore' ? releaseIn(this.ledger, back) : leaveIn(this.ledger))));
    return { writes: planned.writes.filter(({ setting, to }) => after[setting] === to), problems };
  }

  /**
   * What the kernel has now, to be brought to `wanted`. A number that cannot be read is NaN, which is never as wanted, so it
   * is written; an unknown word of the advisor's is left alone.
   */
  private stateFor(wanted: KsmSettings): { readonly state: SharedKsm; readonly problems: Problem[] } {
    const odd: Problem[] = [];
    const settings = this.ksm.readSettings(odd);
    const unread = settingsIn(wanted).filter((setting) => odd.some(({ subject }) => subject === ksmFile(setting)));
    const numbers = unread.filter((setting) => setting !== 'advisorMode').map((setting) => [setting, NaN]);
    const state = { ...settings, ...(Object.fromEntries(numbers) as KsmSettings), pagesShared: this.ksm.pagesShared() };
    const problems = unread.includes('advisorMode')
      ? odd.filter(({ subject }) => subject === ksmFile('advisorMode'))
      : [];
    return { state, problems };
  }

  private planned(ksm: SharedKsm, asked: KsmSettings, options: Omit<PlanOptions, 'has' | 'unmergeObstacle'>): Planned {
    const { unmergeObstacle } = this;
    return planWrites(ksm, asked, { ...options, unmergeObstacle, has: (setting) => this.ksm.has(setting) });
  }
}

/** The state where nothing can be read: all of `wanted` is to be written. */
function unreadState(wanted: KsmSettings, why: string): { readonly state: SharedKsm; readonly problems: Problem[] } {
  const numbers = settingsIn(wanted).map((setting) => [setting, NaN]);
  return {
    state: { ...(Object.fromEntries(numbers) as KsmSettings), pagesShared: 0 },
    problems: [{ subject: 'ksm', sentence: why }],
  };
}

function asSettings(writes: readonly KsmWrite[]): KsmSettings {
  return Object.fromEntries(writes.map(({ setting, to }) => [setting, to]));
}

/** Those of `set` that the kernel still shows: what somebody else changed is complained of once. */
function sameAs(set: KsmSettings, state: KsmSettings): KsmSettings {
  return Object.fromEntries(Object.entries(set).filter(([setting, value]) => state[setting as KsmSetting] === value));
}

function without(set: KsmSettings, settings: readonly KsmSetting[]): KsmSettings {
  return Object.fromEntries(Object.entries(set).filter(([setting]) => !settings.includes(setting as KsmSetting)));
}

/** Whether no later write replaces it: run is set to 2 on the way to another value. */
function isFinal(write: KsmWrite, writes: readonly KsmWrite[]): boolean {
  return writes.findLast(({ setting }) => setting === write.setting) === write;
}

/** Writes that were accepted and yet are not what the kernel shows; the advisor sets pages_to_scan by itself. */
function notTaken(writes: readonly KsmWrite[], after: KsmSettings, known: readonly Problem[]): readonly Problem[] {
  const complained = new Set(known.map(({ subject }) => subject));
  return writes
    .filter((write) => isFinal(write, writes))
    .filter(({ setting, to }) => after[setting] !== to && !complained.has(ksmFile(setting)))
    .filter(({ setting }) => setting !== 'pagesToScan' || after.advisorMode !== 'scan-time')
    .map(({ setting, to }) =>
      settingProblem(setting, `was set to ${to} but shows ${after[setting] ?? 'something else'}`),
    );
}
