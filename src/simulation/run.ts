import { NEVER, Subject, type Subscription, VirtualTimeScheduler, concat, defer, map, of, timer } from 'rxjs';
import type { Decision } from '../core/decision.js';
import type { GuestEvent } from '../core/guest.js';
import { type KsmSettings, ksmFile, ksmWrites } from '../core/ksm.js';
import { type Applied, type Plan, type Retune, retunes } from '../core/retune.js';
import type { Sample } from '../core/sample.js';
import { type HostOptions, VirtualHost } from './host.js';
import type { Step } from './scenario.js';
import type { Happening, Point, Trace, Turn } from './trace.js';

/** A step and when it is done. */
export interface TimedStep {
  readonly atMillis: number;
  readonly step: Step;
}

const POINT_MILLIS = 1000;

/**
 * The daemon's pipeline on a virtual host, with virtual time between: a day takes seconds. The same is done in the same
 * way each time.
 */
export class Simulation {
  readonly host: VirtualHost;
  private readonly scheduler = new VirtualTimeScheduler(undefined, 0);
  private readonly event$ = new Subject<GuestEvent>();
  private loop: Subscription | undefined;
  private readonly points: Point[] = [];
  private readonly turns: Turn[] = [];
  private readonly happenings: Happening[] = [];
  private readonly failures: unknown[] = [];

  /** @param onRetune is told every turn of the loop. */
  constructor(
    host: HostOptions,
    private readonly onRetune: (retune: Retune) => void = () => undefined,
  ) {
    this.host = new VirtualHost(host);
  }

  /** Does a step now; a guest that is started is `ready` at once, or fills its memory in its time. */
  take(step: Step, ready = false): void {
    this.arrive();
    const event = this.host.take(step, ready);
    this.happenings.push({ atMillis: this.host.nowMillis, step });
    if (event !== undefined) this.event$.next(event);
  }

  /** Does the steps when their time comes, counted from now. */
  schedule(steps: readonly TimedStep[]): void {
    for (const { atMillis, step } of steps) {
      this.scheduler.schedule(
        () => {
          this.take(step);
        },
        this.host.nowMillis + atMillis - this.scheduler.frame,
      );
    }
  }

  /** Starts the tuner, and with it the trace. */
  start(plan: Plan, pointMillis = POINT_MILLIS): void {
    const { scheduler } = this;
    const look = () => {
      this.arrive();
      this.points.push(pointOf(this.host));
      // Not the action's own schedule(): that would chain all of them.
      scheduler.schedule(look, pointMillis);
    };
    scheduler.schedule(look);
    const loop = retunes({
      plan$: concat(of(plan), NEVER),
      guest$: this.event$,
      manual$: NEVER,
      // Not at once: the loop expects of a sample that it takes its time.
      sample: () => timer(0, scheduler).pipe(map(() => this.sample())),
      apply: (decision, sample) => defer(() => of(this.apply(decision, sample))),
      stop$: NEVER,
      scheduler,
    });
    this.loop = loop.subscribe({
      next: (retune) => {
        this.onRetune(retune);
        if ('failure' in retune) {
          this.failures.push(retune.failure);
          return;
        }
        const { triggers, decision, applied } = retune;
        this.turns.push({ atMillis: this.host.nowMillis, triggers, decision, applied });
      },
      error: (error: unknown) => {
        this.failures.push(error);
      },
    });
  }

  /**
   * Lets so much time pass.
   *
   * @throws what a policy threw.
   */
  pass(millis: number): void {
    this.scheduler.maxFrames = this.host.nowMillis + millis;
    this.scheduler.flush();
    this.host.advanceTo(this.scheduler.maxFrames);
    if (this.failures.length > 0) throw this.failures[0];
  }

  /** How it is now. */
  get point(): Point {
    return pointOf(this.host);
  }

  /** Lets go of what happened until now, so that a month takes no more memory than a day. */
  forget(): void {
    for (const list of [this.points, this.turns, this.happenings]) list.length = 0;
  }

  /** What happened until now, in times from `clockMillis` on. Nothing happens any more. */
  end(clockMillis = 0): Trace {
    this.loop?.unsubscribe();
    const since = <T extends { readonly atMillis: number }>(entries: readonly T[]) =>
      entries.map((entry) => ({ ...entry, atMillis: entry.atMillis - clockMillis }));
    return { points: since(this.points), turns: since(this.turns), happenings: since(this.happenings) };
  }

  /** Brings the host to the scheduler's time. */
  private arrive(): void {
    this.host.advanceTo(this.scheduler.frame);
  }

  private sample(): Sample {
    this.arrive();
    return this.host.sample();
  }

  private apply({ settings }: Decision, { ksm }: Sample): Applied {
    const tried = ksmWrites(ksm, settings).map((write) => ({ write, error: this.host.write(write.setting, write.to) }));
    return {
      writes: tried.filter(({ error }) => error === undefined).map(({ write }) => write),
      problems: tried.flatMap(({ write: { setting, to }, error }) =>
        error === undefined
          ? []
          : [{ subject: ksmFile(setting), sentence: `${ksmFile(setting)} refuses ${to}: ${error}` }],
      ),
    };
  }
}

/** A plan that sets ksmd once, and then looks on: a host without a tuner. */
export function fixedPlan(settings: KsmSettings): Plan {
  const sentence = 'ksmd is set once, and left alone';
  return {
    because: { kind: 'start' },
    policy: { name: 'fixed', decide: (memory) => [memory, { reason: 'always', sentence, settings }] },
    settings: {},
    intervalMillis: 86_400_000,
    settleMillis: 0,
    recheckMillis: [],
  };
}

function pointOf(host: VirtualHost): Point {
  const ksm = host.ksmd.state();
  return {
    atMillis: host.nowMillis,
    savedBytes: host.savedBytes,
    possibleBytes: host.possibleBytes,
    freeBytes: host.freeBytes,
    guests: host.guestCount,
    run: ksm.run,
    pagesToScan: ksm.pagesToScan,
    sleepMillisecs: ksm.sleepMillisecs,
    fullScans: host.ksmd.fullScans,
    pagesScanned: host.ksmd.pagesScanned,
    ksmdCpuNanos: host.ksmd.cpuNanos,
    memoryPressurePercent: host.memoryPressurePercent,
  };
}
