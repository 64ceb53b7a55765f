import type { HostOptions } from '../../../src/simulation/hostOptions.js';
import { Simulation } from '../../../src/simulation/run.js';
import { type Point, type Trace, type TracedRetune, pointOf } from '../../../src/simulation/trace.js';

/** A simulation of which everything is kept. */
export class Recorder {
  readonly simulation: Simulation;
  private readonly points: Point[] = [];
  private readonly turns: TracedRetune[] = [];
  private nextPointMillis = 0;

  /** @param pointMillis the distance of the points. */
  constructor(
    host: HostOptions,
    private readonly pointMillis: number,
  ) {
    this.simulation = new Simulation(host, (retune) => {
      if ('failure' in retune) return;
      const { triggers, decision, applied } = retune;
      this.turns.push({ atMillis: this.simulation.host.nowMillis, triggers, decision, applied });
    });
  }

  /** Lets so much time pass, and looks. */
  pass(millis: number): void {
    const { host } = this.simulation;
    const endMillis = host.nowMillis + millis;
    for (; this.nextPointMillis <= endMillis; this.nextPointMillis += this.pointMillis) {
      this.simulation.pass(this.nextPointMillis - host.nowMillis);
      this.points.push(pointOf(host));
    }
    this.simulation.pass(endMillis - host.nowMillis);
  }

  /** What happened until now, in times from `clockMillis` on. */
  trace(clockMillis = 0): Trace {
    const since = <T extends { readonly atMillis: number }>(entries: readonly T[]) =>
      entries.map((entry) => ({ ...entry, atMillis: entry.atMillis - clockMillis }));
    return { points: since(this.points), retunes: since(this.turns) };
  }
}
