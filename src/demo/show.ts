import { MORNING_MILLIS } from './morning.js';
import type { WatchState } from '../ctl/watch/model.js';
import { Pane, type PolicyName } from './pane.js';
import type { Score } from './score.js';

/** The distance of looks, and of the points of the curves. */
export const STEP_MILLIS = 10_000;

/** A policy's half of the demo at one moment. */
export interface View {
  readonly policy: PolicyName;
  readonly state: WatchState;
  readonly score: Score;
}

/** The same morning on two virtual hosts, side by side in time. */
export class Show {
  atMillis = 0;
  private readonly panes = [new Pane('ksmtuned'), new Pane('adaptive')] as const;

  get over(): boolean {
    return this.atMillis >= MORNING_MILLIS;
  }

  /** Goes on to `atMillis` in whole steps, or only as far as it comes before `enough` says so. */
  advanceTo(atMillis: number, enough?: () => boolean): void {
    while (!this.over && this.atMillis + STEP_MILLIS <= atMillis && enough?.() !== true) {
      for (const pane of this.panes) pane.pass(STEP_MILLIS);
      this.atMillis += STEP_MILLIS;
    }
  }

  views(): readonly [View, View] {
    const [left, right] = this.panes;
    return [viewOf(left), viewOf(right)];
  }
}

function viewOf(pane: Pane): View {
  return { policy: pane.policy, state: pane.look(), score: pane.score };
}
