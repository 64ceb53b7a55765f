import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  type AnonymousMemory,
  type AnonymousReading,
  type FreedBySplits,
  firstFreedBySplits,
  nextFreedBySplits,
} from '../../../src/core/freedBySplits.js';

const MIB = 1024 ** 2;

type Guests = Readonly<Record<string, Partial<AnonymousMemory>>>;

/** A look at guests of which only what matters is told; sizes in MiB. */
function reading(guests: Guests, splitMiB = 0, zeroMiB = 0): AnonymousReading {
  const scaled = (mebibytes: number | undefined) => (mebibytes ?? 0) * MIB;
  return {
    guests: new Map(
      Object.entries(guests).map(([name, { process = '1.1', anonBytes, swapBytes, zeroBytes, balloonBytes }]) => [
        name,
        {
          process,
          anonBytes: scaled(anonBytes),
          swapBytes: scaled(swapBytes),
          zeroBytes: scaled(zeroBytes),
          balloonBytes,
        },
      ]),
    ),
    splitBytes: splitMiB * MIB,
    zeroBytes: zeroMiB * MIB,
  };
}

function after(first: AnonymousReading, ...more: readonly AnonymousReading[]): FreedBySplits {
  return more.reduce(nextFreedBySplits, firstFreedBySplits(first));
}

/** In MiB, of each guest. */
function freed(...readings: Parameters<typeof after>): Record<string, number> {
  return Object.fromEntries([...after(...readings).byGuest].map(([name, bytes]) => [name, Math.round(bytes / MIB)]));
}

describe('what splits of huge pages freed', () => {
  test("what splits of huge pages freed is what the guests' private memory falls by while they are split", () => {
    const all = after(
      reading({ a: { anonBytes: 1000 }, b: { anonBytes: 500 } }),
      reading({ a: { anonBytes: 700 }, b: { anonBytes: 500 } }, 300),
      reading({ a: { anonBytes: 600 }, b: { anonBytes: 450 } }, 450),
    );
    assert.equal(all.bytes, 450 * MIB);
    assert.deepEqual(Object.fromEntries(all.byGuest), { a: 400 * MIB, b: 50 * MIB });
  });

  const nothing: { name: string; readings: readonly [AnonymousReading, ...AnonymousReading[]] }[] = [
    {
      name: 'memory that a guest gives back itself: no huge page was split',
      readings: [reading({ a: { anonBytes: 1000 } }), reading({ a: { anonBytes: 200 } })],
    },
    {
      name: 'memory that went to swap',
      readings: [reading({ a: { anonBytes: 1000 } }), reading({ a: { anonBytes: 200, swapBytes: 800 } }, 800)],
    },
    {
      name: 'pages that KSM mapped to the zero page, which it counts itself',
      readings: [reading({ a: { anonBytes: 1000 } }), reading({ a: { anonBytes: 600, zeroBytes: 400 } }, 400, 400)],
    },
    {
      name: 'pages that KSM mapped to the zero page, told of the host alone',
      readings: [reading({ a: { anonBytes: 1000 } }), reading({ a: { anonBytes: 600 } }, 400, 400)],
    },
    {
      name: 'memory that a balloon took',
      readings: [
        reading({ a: { anonBytes: 1000, balloonBytes: 1000 } }),
        reading({ a: { anonBytes: 600, balloonBytes: 600 } }, 400),
      ],
    },
    {
      name: 'a guest that ended, or another process of the same name',
      readings: [
        reading({ a: { anonBytes: 1000 }, b: { anonBytes: 1000 } }),
        reading({ a: { process: '2.7', anonBytes: 100 } }, 900),
      ],
    },
    {
      name: 'a guest on a kernel that does not count splits',
      readings: [
        { ...reading({ a: { anonBytes: 1000 } }), splitBytes: undefined },
        { ...reading({ a: { anonBytes: 200 } }), splitBytes: undefined },
      ],
    },
  ];
  for (const { name, readings } of nothing) {
    test(`no splits freed anything of ${name}`, () => {
      assert.deepEqual(freed(...readings), {});
    });
  }

  test('no more is freed than the huge pages that were split can have held', () => {
    assert.deepEqual(freed(reading({ a: { anonBytes: 1000 } }), reading({ a: { anonBytes: 200 } }, 100)), { a: 100 });
  });

  test('what splits freed is booked when the fall is seen a look after the splits, and not two looks after', () => {
    const begin = reading({ a: { anonBytes: 1000 } });
    const split = reading({ a: { anonBytes: 1000 } }, 300);
    assert.deepEqual(freed(begin, split, reading({ a: { anonBytes: 700 } }, 300)), { a: 300 });
    assert.deepEqual(freed(begin, split, split, reading({ a: { anonBytes: 700 } }, 300)), {});
  });

  test('what splits freed becomes less when the guest uses memory again', () => {
    const begin = reading({ a: { anonBytes: 1000 } });
    const low = reading({ a: { anonBytes: 600 } }, 400);
    assert.deepEqual(freed(begin, low, reading({ a: { anonBytes: 700 } }, 400)), { a: 300 });
    assert.deepEqual(freed(begin, low, reading({ a: { anonBytes: 1100 } }, 400)), {});
  });

  test('what splits freed becomes less by its part where the guest gave memory back itself as well', () => {
    const begin = reading({ a: { anonBytes: 1000 } });
    const split = reading({ a: { anonBytes: 700 } }, 300);
    const returned = reading({ a: { anonBytes: 400 } }, 300);
    const again = reading({ a: { anonBytes: 600 } }, 300);
    assert.deepEqual(freed(begin, split, returned, again), { a: 200 });
  });

  test('what splits freed ends with its guest, and with its process', () => {
    const begin = reading({ a: { anonBytes: 1000 }, b: { anonBytes: 1000 } });
    const split = reading({ a: { anonBytes: 700 }, b: { anonBytes: 700 } }, 600);
    assert.deepEqual(freed(begin, split, reading({ b: { anonBytes: 700 } }, 600)), { b: 300 });
    assert.deepEqual(
      freed(begin, split, reading({ a: { process: '9.9', anonBytes: 700 }, b: { anonBytes: 700 } }, 600)),
      {
        b: 300,
      },
    );
  });

  test('what splits freed is neither below 0 nor more than all splits, nor more than the falls', () => {
    const size = fc.nat(2000);
    const guest = fc.record({
      anonBytes: size,
      swapBytes: fc.nat(50),
      zeroBytes: fc.nat(50),
      process: fc.constantFrom('1.1', '2.2'),
    });
    const look = fc.record({ guests: fc.dictionary(fc.constantFrom('a', 'b', 'c'), guest), split: size, zero: size });
    fc.assert(
      fc.property(fc.array(look, { minLength: 1, maxLength: 12 }), (looks) => {
        let split = 0;
        const [first, ...more] = looks.map(({ guests, split: more, zero }) => reading(guests, (split += more), zero));
        if (first === undefined) return;
        const all = after(first, ...more);
        const sum = [...all.byGuest.values()].reduce((total, bytes) => total + bytes, 0);
        assert.ok(all.bytes >= 0 && Math.abs(all.bytes - sum) < 1);
        assert.ok(all.bytes <= split * MIB + 1);
        for (const name of all.byGuest.keys()) assert.ok(all.reading.guests.has(name));
      }),
    );
  });
});
