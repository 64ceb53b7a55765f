import {
  EMPTY,
  type Observable,
  type SchedulerLike,
  Subject,
  asyncScheduler,
  audit,
  catchError,
  concatMap,
  defer,
  filter,
  map,
  merge,
  mergeMap,
  of,
  share,
  shareReplay,
  switchMap,
  take,
  takeUntil,
  tap,
  timer,
} from 'rxjs';
import type { OnConflict } from './conflicts.js';
import type { Decision } from './decision.js';
import { type GuestEvent, guestId } from './guest.js';
import type { KsmSetting, KsmSettings, KsmWrite } from './ksm.js';
import type { MemoryAccounting } from './memory.js';
import { oneAtATime } from './oneAtATime.js';
import type { Policy, PolicyMemory } from './policy.js';
import type { Trigger } from './trigger.js';
import type { Problem, Sample } from './sample.js';

/** How the loop runs: made from the configuration, replaced by a reload. All times in milliseconds. */
export interface Plan {
  /** Why there is a new plan: the trigger of its first retune, which a waiting D-Bus caller recognises by this very object. */
  readonly because: Trigger;
  readonly policy: Policy;
  /** Settings of the configuration; where the policy decides one of them, its decision counts. */
  readonly settings: KsmSettings;
  /** How samples count memory. */
  readonly accounting: MemoryAccounting;
  /** Whether everything may be unmerged for a setting that the kernel accepts only while nothing is shared. */
  readonly unmergesToApply: boolean;
  /** What becomes of a setting that something else changes. */
  readonly onConflict: OnConflict;
  /** Time to the next retune when nothing happens and the policy does not say. */
  readonly intervalMillis: number;
  /** Guest events that come within this time of the first are one retune. */
  readonly settleMillis: number;
  /** Further retunes after a guest start, counted from its event. */
  readonly recheckMillis: readonly number[];
}

/** What became of a decision in the kernel. */
export interface Applied {
  /** What was written, in order. */
  readonly writes: readonly KsmWrite[];
  /** Whether nothing was written, and `writes` is what would have been; absent: no. */
  readonly dryRun?: true;
  /** What the kernel did not take; absent: none. */
  readonly failed?: readonly KsmWrite[];
  /** Settings that were left as something else had changed them; absent: none. */
  readonly left?: readonly KsmSetting[];
  readonly problems: readonly Problem[];
}

/** One round of the loop: sample, decide, apply. Without a decision `failure` says why there is none. */
export type Retune = {
  readonly triggers: readonly Trigger[];
  readonly policy: string;
  /** When the next retune comes if nothing happens before, counted from the end of this one. */
  readonly nextInMillis: number;
} & ({ readonly sample: Sample; readonly decision: Decision; readonly applied: Applied } | { readonly failure: Error });

export interface RetuneInputs {
  /** The first plan starts the loop; each begins with a retune of its own. */
  readonly plan$: Observable<Plan>;
  readonly guest$: Observable<GuestEvent>;
  /** Retunes asked for by hand: they do not wait for the settle time. */
  readonly manual$: Observable<Trigger>;
  /** Takes one sample and completes, or errors. */
  readonly sample: (plan: Plan) => Observable<Sample>;
  /** Brings the kernel to the decision and to the plan's settings; gives one report and completes, or errors. */
  readonly apply: (decision: Decision, sample: Sample, plan: Plan) => Observable<Applied>;
  /** Ends the loop; a retune under way is finished first. */
  readonly stop$: Observable<unknown>;
  /** The clock of the loop's waiting; the real one unless given. A simulation brings its own. */
  readonly scheduler?: SchedulerLike;
}

/**
 * The pipeline: triggers are gathered, and each retune takes all that wait: sample, decide, apply.
 *
 * INVARIANTS: retunes never overlap; every trigger is in exactly one of them, whose sample was taken after the trigger; a
 * failed retune leaves the policy's memory as it was, the policy gets its triggers at the next, and the loop goes on.
 * Subscribe once: every subscription is a loop.
 */
export function retunes({
  plan$,
  manual$,
  sample,
  apply,
  stop$,
  scheduler = asyncScheduler,
  ...inputs
}: RetuneInputs): Observable<Retune> {
  return defer(() => {
    const currentPlan$ = plan$.pipe(shareReplay({ bufferSize: 1, refCount: true }));
    const guest$ = inputs.guest$.pipe(share());
    const nextRetune$ = new Subject<number>();
    const pending: Trigger[] = [];
    const gather = tap((trigger: Trigger) => void pending.push(trigger));

    const planned$ = currentPlan$.pipe(map(({ because }) => because));
    const timer$ = nextRetune$.pipe(
      switchMap((millis) => timer(millis, scheduler)),
      map((): Trigger => ({ kind: 'timer' })),
    );
    const oncePlanned$ = currentPlan$.pipe(take(1));
    const stopped$ = stop$.pipe(take(1), shareReplay({ bufferSize: 1, refCount: false }));
    const guestTrigger$ = guest$.pipe(
      mergeMap((event) => {
        const rechecks$ = oncePlanned$.pipe(switchMap((plan) => rechecks(event, plan, guest$, scheduler)));
        return merge(of<Trigger>({ kind: 'guest', event }), rechecks$);
      }),
      gather,
      audit(() => oncePlanned$.pipe(switchMap((plan) => timer(plan.settleMillis, scheduler)))),
    );

    const retuneOnce = ({ memory, missed }: LoopState, triggers: readonly Trigger[], plan: Plan) => {
      const { policy, intervalMillis } = plan;
      const fresh = [...missed, ...triggers];
      return defer(() => sample(plan)).pipe(
        concatMap((taken) => {
          const [nextMemory, decision] = policy.decide(memory, taken, fresh);
          const nextInMillis = decision.nextInMillis ?? intervalMillis;
          return apply(decision, taken, plan).pipe(
            map((applied) => {
              const retune = { triggers, policy: policy.name, nextInMillis, sample: taken, decision, applied };
              return { memory: nextMemory, missed: [], retune };
            }),
          );
        }),
        catchError((error: unknown) => {
          const retune = { triggers, policy: policy.name, nextInMillis: intervalMillis, failure: asError(error) };
          return of({ memory, missed: fresh.filter(({ kind }) => kind !== 'timer'), retune });
        }),
        tap(({ retune }) => {
          nextRetune$.next(retune.nextInMillis);
        }),
      );
    };

    const begin$ = oncePlanned$.pipe(takeUntil(stopped$));
    const due$ = merge(guestTrigger$, merge(planned$, timer$, manual$).pipe(gather)).pipe(takeUntil(stopped$));
    let last: LoopState = { memory: undefined, missed: [] };
    return due$.pipe(
      oneAtATime(() =>
        begin$.pipe(
          map((plan) => ({ plan, triggers: pending.splice(0) })),
          filter(({ triggers }) => triggers.length > 0),
          concatMap(({ plan, triggers }) => retuneOnce(last, triggers, plan)),
          map(({ retune, ...next }) => {
            last = next;
            return retune;
          }),
        ),
      ),
    );
  });
}

/** What a retune leaves to the next. */
interface LoopState {
  readonly memory: PolicyMemory | undefined;
  /** Triggers of failed retunes, which the policy does not know of yet. */
  readonly missed: readonly Trigger[];
}

/** Further retunes at a guest that started, until it is gone again. */
function rechecks(
  event: GuestEvent,
  plan: Plan,
  guest$: Observable<GuestEvent>,
  scheduler: SchedulerLike,
): Observable<Trigger> {
  if (event.change !== 'started') return EMPTY;
  const gone$ = guest$.pipe(
    filter((other) => guestId(other) === guestId(event) && (other.change === 'stopped' || other.change === 'crashed')),
  );
  return merge(...plan.recheckMillis.map((millis) => timer(millis, scheduler))).pipe(
    map((): Trigger => ({ kind: 'recheck', name: event.name })),
    takeUntil(gone$),
  );
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
