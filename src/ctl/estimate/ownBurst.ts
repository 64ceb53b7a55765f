import { accessSync, constants } from 'node:fs';
import { BehaviorSubject, NEVER, Subject, filter, firstValueFrom, from, lastValueFrom, of, share, tap } from 'rxjs';
import { Collector } from '../../daemon/sampler.js';
import { Guests } from '../../daemon/guests.js';
import { Tuner } from '../../daemon/tuner.js';
import { unmergeCheck } from '../../daemon/unmergeCheck.js';
import type { Values } from '../../config/keys.js';
import { DEFAULT_CONFIG_FILE, loadConfig } from '../../config/load.js';
import { planOf } from '../../config/plan.js';
import type { Hold } from '../../core/hold.js';
import { describeStage } from '../../core/mergeStage.js';
import type { Trigger } from '../../core/trigger.js';
import { type Plan, type Retune, retunes } from '../../core/retune.js';
import { freedBytesOf, savingsOfSample } from '../../core/sample.js';
import { errnoOf } from '../../errors.js';
import { type RunningDaemon, findRivals } from '../../host/daemons.js';
import { GuestUsers } from '../../host/guestUsers.js';
import { KsmDirectory } from '../../host/ksm.js';
import { Ledger } from '../../state/ledger.js';
import { GuestProcesses } from '../../host/guestProcesses.js';
import { isOurAlias } from '../../host/services.js';
import { requireOwnDirectory, stateDirectory } from '../../state/directory.js';
import { type Root, pageSizeBytes } from '../../host/sysfs.js';
import type { Burst, BurstState } from './burst.js';

/** Whoever has this name and keeps the ledger is taken for a samepaged that runs: none starts beside it. */
const TITLE = 'samepaged-estimate';
const NO_LIBVIRT = { up: false, reason: 'an estimate takes the guests from /proc' } as const;

/**
 * A burst where no samepaged runs, by its loop in this process. What the host had before is in samepaged's ledger: after a
 * crash the next samepaged, or the next estimate, gives it back.
 */
export class OwnBurst implements Burst {
  private readonly values: Values;
  private readonly collector: Collector;
  private readonly tuner: Tuner;
  private readonly plan$: BehaviorSubject<Plan>;
  private readonly stop$ = new Subject<void>();
  private readonly retune$: ReturnType<typeof retunes>;
  private last: Retune | undefined;
  private ended: Promise<unknown> = Promise.resolve();

  /** @throws Error when this host's KSM may not be tuned from here. */
  static async open(root: Root): Promise<OwnBurst> {
    const ksm = new KsmDirectory(root);
    requireWritable(ksm);
    const [rival] = await findRivals(root, process.pid);
    if (rival !== undefined) {
      throw new Error(
        `${rival.name} is running, pid ${rival.pid}, and tunes the same KSM: ${adviceAgainst(rival, root)}`,
      );
    }
    const directory = stateDirectory(root);
    requireOwnDirectory(directory);
    process.title = TITLE;
    const { values } = loadConfig(`${root}${DEFAULT_CONFIG_FILE}`, false);
    return new OwnBurst(root, ksm, new Ledger(directory, root, ksm.read()), values);
  }

  private constructor(root: Root, ksm: KsmDirectory, ledger: Ledger, values: Values) {
    const users = new GuestUsers(root, () => values.KSM_GUEST_USERS);
    const guests = new Guests(of(NO_LIBVIRT), new GuestProcesses(root, users));
    const collector = new Collector(root, ksm, guests);
    const unmergeObstacle = () =>
      unmergeCheck({ root, ksm, pageSizeBytes: pageSizeBytes(root), watched: collector.watched });
    const libvirt = () => Promise.resolve(undefined);
    const others = () => findRivals(root, process.pid);
    this.tuner = new Tuner({ ksm, ledger, libvirt, unmergeObstacle, others });
    this.collector = collector;
    this.values = values;
    this.plan$ = new BehaviorSubject(this.planFor({ kind: 'paused' }));
    this.retune$ = retunes({
      ...{ plan$: this.plan$, guest$: guests.event$, manual$: NEVER, stop$: this.stop$ },
      sample: ({ accounting }) => from(this.collector.sample(accounting)),
      apply: (decision, sample, plan) => from(this.tuner.apply(decision, sample, plan)),
    }).pipe(
      tap((retune) => (this.last = retune)),
      share(),
    );
  }

  async begin(longestMillis: number): Promise<void> {
    this.ended = lastValueFrom(this.retune$, { defaultValue: undefined });
    await this.hold({ kind: 'estimating', longestMillis, untilMillis: Infinity });
  }

  read(): Promise<BurstState> {
    const { last } = this;
    if (last === undefined || 'failure' in last) {
      return Promise.reject(
        new Error(`what ksmd does cannot be seen: ${last?.failure.message ?? 'nothing was decided'}`),
      );
    }
    const { stage } = last.decision;
    return Promise.resolve({
      isOver: stage?.name === 'done',
      stage: stage === undefined ? undefined : describeStage(stage),
      savedBytes: savingsOfSample(last.sample).savedBytes,
      freedBytes: this.collector.watched.freedBytes ?? 0,
      freedByGuest: new Map(last.sample.guests.map((guest) => [guest.name, freedBytesOf(last.sample, guest)])),
    });
  }

  async rest(): Promise<void> {
    await this.hold({ kind: 'paused' });
  }

  async unmerge(): Promise<void> {
    await this.hold({ kind: 'unmerged' });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.stop$.next();
    await this.ended;
    const { problems } = await this.tuner.restore('restore');
    if (problems.length > 0) throw new Error(problems.map(({ sentence }) => sentence).join('; '));
  }

  /** @throws Error with what the kernel did not take. */
  private async hold(hold: Hold): Promise<void> {
    const plan = this.planFor(hold);
    const done = firstValueFrom(this.retune$.pipe(filter(({ triggers }) => triggers.includes(plan.because))), {
      defaultValue: { triggers: [], policy: '', nextInMillis: 0, failure: new Error('it has ended') },
    });
    this.plan$.next(plan);
    const retune = await done;
    if ('failure' in retune) throw retune.failure;
    const [problem] = retune.applied.problems;
    if (problem?.subject === 'ledger' || problem?.subject === 'run') throw new Error(problem.sentence);
  }

  private planFor(hold: Hold): Plan {
    const because: Trigger = { kind: 'manual', by: 'samepagectl estimate' };
    return { ...planOf({ because, values: this.values, hold }, undefined), unmergesToApply: false };
  }
}

/** @throws Error that says what is missing. */
function requireWritable(ksm: KsmDirectory): void {
  const absence = ksm.absence();
  if (absence !== undefined) throw new Error(absence);
  try {
    accessSync(`${ksm.path}/run`, constants.W_OK);
  } catch (error) {
    const why = process.getuid?.() === 0 ? 'it is read-only here' : 'root may: sudo samepagectl estimate';
    throw new Error(`${ksm.path}/run cannot be written (${errnoOf(error) ?? ''}): ${why}`, { cause: error });
  }
}

function adviceAgainst({ name, pid }: RunningDaemon, root: Root): string {
  if (name === 'samepaged') return 'it does not answer on the bus';
  return isOurAlias(root, `${name}.service`)
    ? `kill ${pid} first, ${name}.service is samepaged's own name here`
    : `systemctl stop ${name} first`;
}
