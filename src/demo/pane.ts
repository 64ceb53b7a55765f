import * as v from 'valibot';
import { retuneDict } from '../api/encode.js';
import { type Values, defaultValues } from '../config/keys.js';
import { type HistoryMemory, recordsOf } from '../core/history/record.js';
import type { Plan, Retune } from '../core/retune.js';
import { type Sample, savingsOfSample } from '../core/sample.js';
import { savingsOf } from '../core/savings.js';
import { Retune as RetuneReply } from '../api/replies.js';
import { plain } from '../api/unpack.js';
import { type DaemonNow, type WatchState, initialWatch, nextWatch } from '../ctl/watch/model.js';
import { planOf } from '../config/plan.js';
import { MORNING_MEMORY_MIB, MORNING_MILLIS, MORNING_WAVES, morning } from './morning.js';
import { PAGE_BYTES } from '../simulation/host.js';
import { Simulation } from '../simulation/run.js';
import { pointOf } from '../simulation/trace.js';
import { onClock } from './clock.js';
import { type Score, firstScore, nextScore } from './score.js';

export type PolicyName = Values['KSM_POLICY'];

const MEMORY_BYTES = MORNING_MEMORY_MIB * 1024 ** 2;

/** The morning on a virtual host under one policy, and what samepagectl watch shows of it. */
export class Pane {
  state: WatchState = initialWatch('simulated host', onClock(0), MORNING_MILLIS);
  score: Score = firstScore(MORNING_WAVES);
  private history: HistoryMemory | undefined;
  private last: Retune | undefined;
  /** The last retune, when somebody looked, as a client of the bus gets it. */
  private reply: DaemonNow['lastRetune'] = v.parse(RetuneReply, {});
  private readonly simulation = new Simulation({ memoryMiB: MORNING_MEMORY_MIB }, (retune) => {
    this.takeRetune(retune);
  });

  constructor(readonly policy: PolicyName) {
    const { before, later = [] } = morning();
    for (const step of before) this.simulation.take(step, true);
    this.simulation.start(planOfPolicy(policy));
    this.simulation.schedule(later);
    this.pass(0);
  }

  /** Lets so much time pass, and looks. */
  pass(millis: number): void {
    const { simulation } = this;
    simulation.pass(millis);
    const { host } = simulation;
    const point = pointOf(host);
    const { freeBytes, run, pagesToScan, sleepMillisecs, pagesScanned } = point;
    const { savedBytes } = savingsOf(host.ksmd.state(), PAGE_BYTES);
    const ksmdCpuNanos = Math.round(point.ksmdCpuNanos);
    const atMillis = onClock(host.nowMillis);
    const memoryIsPlenty =
      this.last === undefined || ('decision' in this.last && this.last.decision.reason === 'enough-memory');
    this.score = nextScore(this.score, point, memoryIsPlenty);
    if (this.last !== undefined)
      this.state = nextWatch(this.state, { kind: 'daemon', daemon: this.daemonAfter(this.last) });
    this.state = nextWatch(nextWatch(this.state, { kind: 'tick', nowMillis: atMillis }), {
      kind: 'host',
      host: {
        atMillis,
        savedBytes,
        ksmdCpuNanos,
        pagesScanned,
        freeBytes,
        totalBytes: MEMORY_BYTES,
        run,
        pagesToScan,
        sleepMillisecs,
      },
    });
  }

  /** What of a frame nobody needs at every look. */
  look(): WatchState {
    const { host } = this.simulation;
    if (this.last !== undefined) {
      this.reply = v.parse(RetuneReply, plain(retuneDict(this.last)));
      this.state = nextWatch(this.state, { kind: 'daemon', daemon: this.daemonAfter(this.last) });
    }
    this.state = nextWatch(this.state, { kind: 'guests', guests: host.guestMemory(), notes: [] });
    return this.state;
  }

  private takeRetune(retune: Retune): void {
    const retuned = 'failure' in retune ? retune : { ...retune, sample: clocked(retune.sample) };
    const [memory, records] = recordsOf(this.history, retuned, this.state.nowMillis);
    this.history = memory;
    this.last = retuned;
    const shown = records.filter(({ kind }) => kind !== 'sample');
    if (shown.length > 0) this.state = nextWatch(this.state, { kind: 'history', records: shown });
  }

  private daemonAfter(retune: Retune): DaemonNow {
    return {
      policy: this.policy,
      configuredPolicy: this.policy,
      dryRun: false,
      hold: '',
      holdUntilUSec: 0,
      ...memoryIn(retune),
      libvirtConnected: true,
      lastRetune: this.reply,
    };
  }
}

function memoryIn(
  retune: Retune,
): Pick<DaemonNow, 'guestCount' | 'guestMemoryBytes' | 'freedBytes' | 'beingFreedBytes'> {
  if ('failure' in retune) return { guestCount: 0, guestMemoryBytes: 0, freedBytes: 0, beingFreedBytes: 0 };
  const { sample } = retune;
  const { freedBytes, beingFreedBytes } = savingsOfSample(sample);
  const { guests, memory } = sample;
  return { guestCount: guests.length, guestMemoryBytes: memory.committedBytes, freedBytes, beingFreedBytes };
}

/** On the wall's clock, in whole milliseconds as a host's own. */
function clocked(sample: Sample): Sample {
  return { ...sample, takenAtMillis: Math.round(onClock(sample.takenAtMillis)) };
}

/** The defaults, whatever is configured on this machine. */
function planOfPolicy(policy: PolicyName): Plan {
  const values = { ...defaultValues(), KSM_POLICY: policy };
  return planOf({ because: { kind: 'start' }, values, hold: undefined }, undefined);
}
