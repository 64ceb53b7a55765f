import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type BeingFreed, nextBeingFreed } from '../../../src/core/beingFreed.js';

/** Looks one after another: merged bytes by guest, what the kernel counts, and full_scans. */
function looks(...all: readonly (readonly [Readonly<Record<string, number>>, number, number])[]): number[] {
  let state: BeingFreed | undefined;
  return all.map(([merged, sharingBytes, fullScans]) => {
    const mergedBytes = new Map(Object.entries(merged));
    state = nextBeingFreed(state, { mergedBytes, running: new Set(mergedBytes.keys()), sharingBytes, fullScans });
    return state.bytes;
  });
}

test('what a guest had merged is being freed from when it has gone', () => {
  assert.deepEqual(looks([{ a: 500, b: 400 }, 800, 7], [{ a: 500 }, 800, 7], [{ a: 500 }, 800, 7]), [0, 400, 400]);
});

test('what a gone guest had merged is being freed until ksmd has struck it off, in whatever steps', () => {
  assert.deepEqual(
    looks([{ a: 500, b: 400 }, 800, 7], [{ a: 500 }, 700, 7], [{ a: 500 }, 500, 7], [{ a: 500 }, 400, 7]),
    [0, 300, 100, 0],
  );
});

test('pages being freed are forgotten when ksmd has been everywhere, because the figure was an estimate', () => {
  assert.deepEqual(
    looks([{ a: 9, b: 400 }, 800, 7], [{ a: 9 }, 800, 7], [{ a: 9 }, 600, 8], [{ a: 9 }, 600, 9], [{ a: 9 }, 600, 10]),
    [0, 400, 200, 0, 0],
  );
});

test('pages being freed are forgotten when all is unmerged, and never exceed what the kernel counts', () => {
  assert.deepEqual(looks([{ a: 900 }, 800, 7], [{}, 800, 7], [{}, 0, 0]), [0, 800, 0]);
  assert.deepEqual(looks([{ a: 900 }, 800, 7], [{}, 800, 7], [{}, 800, 0]), [0, 800, 0]);
});

test('what a gone guest had merged is being freed once, also when it was read before the guest went', () => {
  const mergedBytes = new Map([
    ['a', 500],
    ['b', 300],
  ]);
  const look = (...running: readonly string[]) => ({
    ...{ mergedBytes, running: new Set(running), sharingBytes: 800, fullScans: 7 },
  });
  let state = nextBeingFreed(undefined, look('a', 'b'));
  for (let times = 0; times < 3; times += 1) state = nextBeingFreed(state, look('a'));
  assert.equal(state.bytes, 300);
});

test('of a guest of which nothing is known, nothing is being freed', () => {
  const look = { mergedBytes: new Map(), sharingBytes: 800, fullScans: 1 };
  const before = nextBeingFreed(undefined, { ...look, running: new Set(['a']) });
  assert.equal(nextBeingFreed(before, { ...look, running: new Set() }).bytes, 0);
});
