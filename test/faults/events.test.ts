import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { NEVER, Subject, concat, defer, from, of } from 'rxjs';
import type { GuestEvent } from '../../src/core/guest.js';
import { type Trigger } from '../../src/core/trigger.js';
import { retunes } from '../../src/core/retune.js';
import { Simulation } from '../../src/simulation/run.js';
import { randomFrom } from '../support/dbus/wire.js';
import { planFrom, sampleOf } from '../support/examples/examples.js';
import { faultCount, faultSeed } from '../support/faultRuns.js';
import { DEFAULT_PLAN, countingPolicy } from '../support/policies/retuneLoop.js';

const random = randomFrom(faultSeed);
const DAY_MILLIS = 86_400_000;
const MONTH_MILLIS = 30 * DAY_MILLIS;
const GUESTS = 20;
const CONTENT = { commonMiB: 256, ownMiB: 128, rewrittenMiBPerSecond: 0 };
/** What V8 keeps for itself: caches and compiled code. A leak of 100 bytes an event is a hundred times that. */
const HEAP_GROWTH_BYTES = 1024 ** 2;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** What this process holds after all that can be freed was freed. */
async function held() {
  for (let round = 0; round < 4; round += 1) {
    await sleep(1);
    collect();
  }
  const handles = process.getActiveResourcesInfo().filter((name) => name !== 'TTYWrap' && name !== 'PipeWrap').length;
  return { heapBytes: process.memoryUsage().heapUsed, handles, descriptors: readdirSync('/proc/self/fd').length };
}

type Held = Awaited<ReturnType<typeof held>>;

function expectFlat(early: Held, late: Held): void {
  const grown = late.heapBytes - early.heapBytes;
  assert.ok(grown < HEAP_GROWTH_BYTES, `the heap grew by ${grown} bytes`);
  assert.ok(late.handles <= early.handles, `handles: ${early.handles} -> ${late.handles}`);
  assert.ok(late.descriptors <= early.descriptors, `descriptors: ${early.descriptors} -> ${late.descriptors}`);
}

describe('guest events without end', () => {
  test('guest events without end through the real loop: turns never overlap, and each event is in exactly one', async () => {
    const count = faultCount(30_000, 3000);
    const guest$ = new Subject<GuestEvent>();
    const stop$ = new Subject<void>();
    const taken = new Map<GuestEvent, number>();
    let [underWay, turns] = [0, 0];
    const work = async <T>(result: T): Promise<T> => {
      await sleep(random(8));
      return result;
    };
    const done = new Promise<void>((resolve, reject) => {
      retunes({
        plan$: concat(
          of({ ...DEFAULT_PLAN, policy: countingPolicy('count'), settleMillis: 3, recheckMillis: [5, 20] }),
          NEVER,
        ),
        guest$,
        manual$: NEVER,
        sample: () =>
          defer(() => {
            assert.equal((underWay += 1), 1, 'turns overlap');
            return from(
              random(20) === 0 ? work(undefined).then(() => Promise.reject(new Error('no'))) : work(sampleOf()),
            );
          }),
        apply: () => defer(() => from(work({ writes: [], problems: [] }))),
        stop$,
      }).subscribe({
        next: ({ triggers }) => {
          underWay -= 1;
          turns += 1;
          for (const event of triggers.flatMap(eventOf)) taken.set(event, (taken.get(event) ?? 0) + 1);
        },
        error: reject,
        complete: resolve,
      });
    });
    const changes = ['started', 'stopped', 'crashed', 'resized'] as const;
    const sent: GuestEvent[] = [];
    while (sent.length < count) {
      for (let burst = 1 + random(40); burst > 0 && sent.length < count; burst -= 1) {
        const event = { name: `guest${String(random(GUESTS))}`, change: changes[random(4)] ?? 'started' };
        sent.push(event);
        guest$.next(event);
      }
      await sleep(random(5));
    }
    await sleep(200);
    stop$.next();
    await done;
    const wrong = sent.filter((event) => taken.get(event) !== 1);
    assert.deepEqual(wrong, []);
    assert.ok(turns > count / 200, String(turns));
  });

  test('guest events without end in the simulation leave heap and handles as they are', async () => {
    const count = faultCount(1_000_000, 20_000);
    const simulation = new Simulation({ memoryMiB: 16_384 });
    simulation.start(planFrom({ KSM_POLICY: 'adaptive', KSM_EVENT_SETTLE: '0' }));
    const running = new Set<number>();
    const play = (events: number) => {
      for (let left = events; left > 0; left -= 1) {
        const number = random(GUESTS);
        const guest = `guest${String(number)}`;
        simulation.take(running.delete(number) ? { kind: 'stop', guest } : start(running, number, guest));
        if (left % 20 === 0) simulation.pass(500);
      }
    };
    play(count / 10);
    const early = await held();
    play(count - count / 10);
    expectFlat(early, await held());
  });

  test('a month of virtual time in the simulation leaves heap and handles as they are', async () => {
    const millis = faultCount(MONTH_MILLIS, MONTH_MILLIS / 50);
    let turns = 0;
    const simulation = new Simulation({ memoryMiB: 16_384 }, () => (turns += 1));
    for (let number = 0; number < GUESTS; number += 1) {
      simulation.take({ kind: 'start', guest: `guest${String(number)}`, content: CONTENT }, true);
    }
    simulation.start(planFrom({ KSM_POLICY: 'adaptive', KSM_WHEN: 'always' }));
    simulation.pass(millis / 10);
    const early = await held();
    simulation.pass(millis - millis / 10);
    expectFlat(early, await held());
    assert.ok(turns > millis / DAY_MILLIS, String(turns));
  });
});

function start(running: Set<number>, number: number, guest: string) {
  running.add(number);
  return { kind: 'start', guest, content: CONTENT } as const;
}

function eventOf(trigger: Trigger): GuestEvent[] {
  return trigger.kind === 'guest' ? [trigger.event] : [];
}
