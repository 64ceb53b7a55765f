import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { KsmState } from '../../../src/core/ksm.js';
import { savingsOf } from '../../../src/core/savings.js';
import { IDLE_KSM } from '../../support/examples/examples.js';

const PAGE = 4096;

describe('savingsOf', () => {
  const rows: { name: string; parts: Partial<KsmState>; page?: number; freed?: number; saved: readonly number[] }[] = [
    { name: 'nothing is shared', parts: {}, saved: [0, 0, 0] },
    {
      name: 'one page for each further user, none for the page that is shared',
      parts: { pagesShared: 10, pagesSharing: 90 },
      saved: [90 * PAGE, 0, 0],
    },
    {
      name: 'pages mapped to the zero page are a figure of their own',
      parts: { pagesSharing: 90, ksmZeroPages: 10 },
      saved: [90 * PAGE, 10 * PAGE, 0],
    },
    {
      name: 'what splits of huge pages freed is a figure of its own',
      parts: { pagesSharing: 90, ksmZeroPages: 10 },
      freed: 7 * PAGE,
      saved: [90 * PAGE, 10 * PAGE, 7 * PAGE],
    },
    {
      name: 'a count of zero pages below 0, as of Linux 6.6 to 6.9, is none',
      parts: { pagesSharing: 90, ksmZeroPages: -3 },
      saved: [90 * PAGE, 0, 0],
    },
    { name: 'pages of 64 KiB', parts: { pagesSharing: 3 }, page: 65536, saved: [196608, 0, 0] },
  ];
  for (const { name, parts, page = PAGE, freed, saved } of rows) {
    test(`savings: ${name}`, () => {
      const savings = savingsOf({ ...IDLE_KSM, ...parts }, page, { freedBytes: freed ?? 0 });
      const { sharedBytes, zeroBytes, freedBytes, savedBytes } = savings;
      assert.deepEqual([sharedBytes, zeroBytes, freedBytes], saved);
      assert.equal(savedBytes, sharedBytes + zeroBytes + freedBytes);
    });
  }
});

describe("KSM's own records", () => {
  const seen = { pagesShared: 10, pagesSharing: 90, pagesUnshared: 700, pagesVolatile: 200 };
  const rows: { name: string; parts: Partial<KsmState>; bookkeeping: number; profit: number }[] = [
    {
      name: '64 bytes a page where the kernel tells no profit',
      parts: {},
      bookkeeping: 64_000,
      profit: 90 * PAGE - 64_000,
    },
    {
      name: 'what the profit is less than the saved pages where the kernel tells it',
      parts: { generalProfit: 90 * PAGE - 80_000 },
      bookkeeping: 80_000,
      profit: 90 * PAGE - 80_000,
    },
    {
      name: 'pages mapped to the zero page have records too',
      parts: { ksmZeroPages: 5, generalProfit: 95 * PAGE - 72_000 },
      bookkeeping: 72_000,
      profit: 95 * PAGE - 72_000,
    },
    {
      name: 'a profit that no record size explains was read at another moment: its records are counted',
      parts: { generalProfit: 90 * PAGE - 900_000 },
      bookkeeping: 64_000,
      profit: 90 * PAGE - 900_000,
    },
  ];
  for (const { name, parts, bookkeeping, profit } of rows) {
    test(`KSM's own records: ${name}`, () => {
      const { bookkeepingBytes, profitBytes } = savingsOf({ ...IDLE_KSM, ...seen, ...parts }, PAGE);
      assert.deepEqual([bookkeepingBytes, profitBytes], [bookkeeping, profit]);
    });
  }

  test('what splits of huge pages freed is profit', () => {
    const ksm = { ...IDLE_KSM, ...seen, generalProfit: -1000 };
    assert.equal(savingsOf(ksm, PAGE, { freedBytes: 5000 }).profitBytes, 4000);
  });

  test('what guests that have gone had merged is neither saved nor profit', () => {
    const ksm = { ...IDLE_KSM, ...seen, generalProfit: 50 * PAGE };
    const { sharedBytes, savedBytes, profitBytes } = savingsOf(ksm, PAGE, { beingFreedBytes: 40 * PAGE });
    assert.deepEqual([sharedBytes, savedBytes, profitBytes], [50 * PAGE, 50 * PAGE, 10 * PAGE]);
    assert.equal(savingsOf(ksm, PAGE, { beingFreedBytes: 100 * PAGE }).sharedBytes, 0);
  });
});
