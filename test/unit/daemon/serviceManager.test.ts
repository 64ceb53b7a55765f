import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { map } from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import type { Reason } from '../../../src/core/decision.js';
import type { Retune } from '../../../src/core/retune.js';
import { type NoticeInputs, serviceNotices } from '../../../src/daemon/serviceManager.js';
import { sampleOf } from '../../support/examples/examples.js';

interface Case extends Partial<Pick<NoticeInputs, 'dryRun' | 'watchdogMillis'>> {
  readonly unmerges?: boolean;
  /** Marbles of `turns`; every time is a millisecond. */
  readonly loop: string;
  readonly turns: Readonly<Record<string, Retune>>;
  readonly end: string;
}

const INTERVAL_MILLIS = 60_000;

function decided(reason: Reason, sentence: string, nextInMillis = INTERVAL_MILLIS): Retune {
  return {
    triggers: [],
    policy: 'ksmtuned',
    nextInMillis,
    sample: sampleOf(),
    decision: { reason, sentence, settings: {} },
    applied: { writes: [], problems: [] },
  };
}

function failed(message: string): Retune {
  return { triggers: [], policy: 'ksmtuned', nextInMillis: INTERVAL_MILLIS, failure: new Error(message) };
}

/** What is told, each with the millisecond at which it is. */
function noticesOf({ loop, turns, end, dryRun = false, watchdogMillis, unmerges = false }: Case): string[] {
  const told: string[] = [];
  const scheduler = new TestScheduler(assert.deepEqual);
  scheduler.run(({ hot, cold }) => {
    const notice$ = serviceNotices({
      retune$: hot(loop, turns),
      dryRun,
      watchdogMillis,
      end$: cold(end),
      unmerges: () => unmerges,
      scheduler,
    });
    notice$
      .pipe(map((notice) => `${String(scheduler.now())} ${notice.join(' ')}`))
      .subscribe({ next: (line) => told.push(line), error: assert.ifError });
  });
  return told;
}

const rest = decided('enough-memory', 'resting');
const merge = decided('free-below-reserve', 'merging');

describe('what a service manager is told', () => {
  it('a service manager is told ready with the first decision, not before, and stopping at the end', () => {
    const told = noticesOf({ loop: '200ms r', turns: { r: rest }, end: '1s e' });
    assert.deepEqual(told, ['200 READY=1 STATUS=resting', '1000 STOPPING=1']);
  });

  it('a service manager is told stopping also when there never was a decision', () => {
    assert.deepEqual(noticesOf({ loop: '-', turns: {}, end: '1s e' }), ['1000 STOPPING=1']);
  });

  it('a service manager is asked for more time for the stop where everything is unmerged at the end', () => {
    assert.deepEqual(noticesOf({ loop: '-', turns: {}, end: '1s e', unmerges: true }), [
      '1000 STOPPING=1 EXTEND_TIMEOUT_USEC=300000000',
    ]);
  });

  it('without a decision the service is not ready, and says why once', () => {
    const turns = { f: failed('meminfo:\n none'), r: rest };
    assert.deepEqual(noticesOf({ loop: 'f 9ms f 9ms r', turns, end: '1s e' }), [
      '0 STATUS=no decision: meminfo: none',
      '20 READY=1 STATUS=resting',
      '1000 STOPPING=1',
    ]);
  });

  it('a dry run tells the service manager that it is one', () => {
    assert.equal(
      noticesOf({ loop: 'r', turns: { r: rest }, end: '1s e', dryRun: true })[0],
      '0 READY=1 STATUS=dry run: resting',
    );
  });

  it('a service manager is told the status when the reason changes and not at every turn', () => {
    const turns = { r: rest, s: decided('enough-memory', 'still resting'), m: merge, f: failed('gone') };
    assert.deepEqual(noticesOf({ loop: 'r 59s s 59s m 59s f 59s f', turns, end: '300s e' }), [
      '0 READY=1 STATUS=resting',
      `${String(59_000 + 1 + 59_000 + 1)} STATUS=merging`,
      `${String(3 * 59_001)} STATUS=no decision: gone`,
      '300000 STOPPING=1',
    ]);
  });

  it('reasons that follow each other closely make two notices, the last of them in the end', () => {
    const turns = { r: rest, m: merge };
    const loop = 'r 999ms m 999ms r 999ms m 999ms r';
    assert.deepEqual(noticesOf({ loop, turns, end: '60s e' }), [
      '0 READY=1 STATUS=resting',
      '1000 STATUS=merging',
      '31000 STATUS=resting',
      '60000 STOPPING=1',
    ]);
  });
});

/** The milliseconds at which it was said to be alive. */
function aliveAt(watched: Case): number[] {
  const told = noticesOf(watched).filter((line) => line.includes(' WATCHDOG=1'));
  return told.map((line) => Number.parseInt(line, 10));
}

describe('alive', () => {
  const soon = decided('probe', 'probing', 100);

  it('the watchdog is answered twice in its time, with the newest sentence; never without one', () => {
    const turns = { r: rest, s: decided('enough-memory', 'still resting') };
    const watched = { loop: 'r 599ms s', turns, end: '1400ms e' };
    assert.deepEqual(noticesOf({ ...watched, watchdogMillis: 1000 }), [
      '0 READY=1 STATUS=resting',
      '500 WATCHDOG=1 STATUS=resting',
      '1000 WATCHDOG=1 STATUS=still resting',
      '1400 STOPPING=1',
    ]);
    assert.deepEqual(aliveAt(watched), []);
  });

  it('the watchdog gets no sign of life before the first retune', () => {
    assert.deepEqual(aliveAt({ loop: '1200ms r', turns: { r: rest }, end: '1600ms e', watchdogMillis: 1000 }), [1500]);
  });

  it('the watchdog is answered until a turn is too late for its announced look; again with the next turn', () => {
    const watched: Case = { loop: 's 2899ms s', turns: { s: soon }, end: '3600ms e', watchdogMillis: 1000 };
    assert.deepEqual(aliveAt(watched), [500, 1000, 3000, 3500]);
  });

  it('the watchdog is answered as long as the announced look is away, and its own time', () => {
    const watched: Case = { loop: 'r', turns: { r: rest }, end: '80s e', watchdogMillis: 10_000 };
    const last = aliveAt(watched).at(-1);
    assert.equal(last, 65_000);
  });

  it('turns in quick succession do not keep the watchdog from being answered', () => {
    const loop = Array.from({ length: 30 }, () => 's 99ms').join(' ');
    assert.deepEqual(
      aliveAt({ loop, turns: { s: soon }, end: '2100ms e', watchdogMillis: 1000 }),
      [500, 1000, 1500, 2000],
    );
  });
});
