import { NEVER, Subject, VirtualTimeScheduler, concat, map, of, timer } from 'rxjs';
import { type BeingFreed, nextBeingFreed } from '../core/beingFreed.js';
import { type FreedBySplits, firstFreedBySplits, nextFreedBySplits } from '../core/freedBySplits.js';
import type { GuestEvent } from '../core/guest.js';
import { type KsmSettings, ksmFile, ksmWrites } from '../core/ksm.js';
import { type Applied, type Plan, type Retune, retunes } from '../core/retune.js';
import type { Sample } from '../core/sample.js';
import { PAGE_BYTES, VirtualHost } from './host.js';
import type { HostOptions } from './hostOptions.js';
import type { Step, TimedStep } from './step.js';

/** What the kernel reports of each guest's memory, as it was then. */
interface KernelView {
  readonly freed: FreedBySplits;
  readonly mergedBytes: ReadonlyMap<string, number>;
  readonly atMillis: number;
  readonly fullScans: number;
}

/** How old what is known of the guests' memory may become (src/daemon/sampler.ts), and so much when a pass has ended. */
const READING_MILLIS = 10_000;
const READING_AFTER_PASS_MILLIS = 1000;

/**
 * The daemon's pipeline on a virtual host, with virtual time between: a day takes seconds. The same is done in the same
 * way each time, in whatever parts the time passes.
 */
export class Simulation {
  readonly host: VirtualHost;
  private readonly scheduler = new VirtualTimeScheduler(undefined, 0);
  private readonly event$ = new Subject<GuestEvent>();
  private readonly failures: unknown[] = [];
  private view: KernelView | undefined;
  private beingFreed: BeingFreed | undefined;

  /** @param onRetune is called at every retune. */
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
    if (event !== undefined) this.event$.next(event);
  }

  /** Does the steps when their time comes, counted from now. */
  schedule(steps: readonly TimedStep[]): void {
    for (const { atMillis, step } of steps) {
      this.scheduler.schedule(() => {
        this.take(step);
      }, atMillis);
    }
  }

  /** Starts the tuner. */
  start(plan: Plan): void {
    const { scheduler } = this;
    const retune$ = retunes({
      plan$: concat(of(plan), NEVER),
      guest$: this.event$,
      manual$: NEVER,
      // Not at once: the loop expects of a sample that it takes its time.
      sample: () => timer(0, scheduler).pipe(map(() => this.sample())),
      apply: (decision, sample) => of(this.apply({ ...plan.settings, ...decision.settings }, sample)),
      stop$: NEVER,
      scheduler,
    });
    retune$.subscribe({
      next: (retune) => {
        if ('failure' in retune) this.failures.push(retune.failure);
        this.onRetune(retune);
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
    const { scheduler } = this;
    scheduler.maxFrames = scheduler.frame + millis;
    scheduler.flush();
    // It stands where the last action was.
    scheduler.frame = scheduler.maxFrames;
    this.arrive();
    if (this.failures.length > 0) throw this.failures[0];
  }

  /** Brings the host to the scheduler's time. */
  private arrive(): void {
    this.host.advanceTo(this.scheduler.frame);
  }

  /** The host as it is now, with what was freed unseen by KSM's counters since the first sample. */
  private sample(): Sample {
    this.arrive();
    const { host } = this;
    const { freed, mergedBytes } = this.kernelView();
    const { pagesSharing, fullScans = 0 } = host.ksmd.state();
    this.beingFreed = nextBeingFreed(this.beingFreed, {
      mergedBytes,
      running: host.guestNames,
      sharingBytes: pagesSharing * PAGE_BYTES,
      fullScans,
    });
    return host.sample({ freedBySplits: freed, beingFreedBytes: this.beingFreed.bytes });
  }

  /** As old as it may be in the daemon's samples, which reads it of every guest: after a pass, and now and then. */
  private kernelView(): KernelView {
    const { host, view } = this;
    const [atMillis, { fullScans }] = [host.nowMillis, host.ksmd];
    const keptMillis = fullScans === view?.fullScans ? READING_MILLIS : READING_AFTER_PASS_MILLIS;
    if (view !== undefined && atMillis - view.atMillis < keptMillis) return view;
    const reading = host.anonymousReading();
    const freed = view === undefined ? firstFreedBySplits(reading) : nextFreedBySplits(view.freed, reading);
    const mergedBytes = new Map(host.guestMemory().map((guest) => [guest.name, guest.mergedBytes ?? 0]));
    this.view = { freed, mergedBytes, atMillis, fullScans };
    return this.view;
  }

  private apply(settings: KsmSettings, { ksm }: Sample): Applied {
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
    accounting: 'corrected',
    unmergesToApply: false,
    intervalMillis: 86_400_000,
    settleMillis: 0,
    recheckMillis: [],
    onConflict: 'reassert',
  };
}
