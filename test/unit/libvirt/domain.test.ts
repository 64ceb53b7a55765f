import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Variant } from 'dbus-next';
import type { GuestChange } from '../../../src/core/guest.js';
import { guestOfStats, uuidOfPath } from '../../../src/libvirt/domain.js';
import { DOMAIN_EVENT } from '../../../src/libvirt/enums.js';

describe('guestOfStats', () => {
  const kb = (value: unknown) => new Variant('v', new Variant('t', value));
  const rows: {
    name: string;
    stats: Record<string, unknown>;
    residentBytes: number | undefined;
    configuredBytes: number;
    balloonBytes?: number;
  }[] = [
    {
      name: 'as libvirt-dbus sends it: Variants of Variants of BigInt, in kB',
      stats: { 'balloon.current': kb(524288n), 'balloon.maximum': kb(1048576n), 'balloon.rss': kb(612340n) },
      residentBytes: 612340 * 1024,
      configuredBytes: 1048576 * 1024,
      balloonBytes: 524288 * 1024,
    },
    {
      name: 'in one Variant',
      stats: { 'balloon.maximum': new Variant('t', 1048576n), 'balloon.rss': new Variant('u', 612340) },
      residentBytes: 612340 * 1024,
      configuredBytes: 1048576 * 1024,
    },
    {
      name: 'more than 32 bits of kB',
      stats: { 'balloon.rss': kb(8n * 1024n ** 3n) },
      residentBytes: 8 * 1024 ** 4,
      configuredBytes: 0,
    },
    { name: "the test driver's: nothing", stats: {}, residentBytes: undefined, configuredBytes: 0 },
    {
      name: 'no resident memory, as while its QEMU does not answer',
      stats: { 'balloon.current': kb(1048576n), 'balloon.maximum': kb(1048576n) },
      residentBytes: undefined,
      configuredBytes: 1048576 * 1024,
      balloonBytes: 1048576 * 1024,
    },
    {
      name: 'something that is no number',
      stats: { 'balloon.rss': kb('many'), 'balloon.maximum': undefined },
      residentBytes: undefined,
      configuredBytes: 0,
    },
  ];
  for (const { name, stats, residentBytes, configuredBytes, balloonBytes } of rows) {
    test(`the stats of a guest are read: ${name}`, () => {
      const balloon = balloonBytes === undefined ? {} : { balloonBytes };
      assert.deepEqual(guestOfStats('6695eb01', 'web', stats), {
        id: '6695eb01',
        name: 'web',
        residentBytes,
        configuredBytes,
        ...balloon,
      });
    });
  }
});

describe('uuidOfPath', () => {
  const uuid = '6695eb01-f6a4-8304-79aa-97f2502e193f';
  const rows: [string, string | undefined][] = [
    ['/org/libvirt/QEMU/domain/_6695eb01_f6a4_8304_79aa_97f2502e193f', uuid],
    ['/org/libvirt/Test/domain/_6695eb01_f6a4_8304_79aa_97f2502e193f', uuid],
    ['/org/libvirt/QEMU/network/_6695eb01_f6a4_8304_79aa_97f2502e193f', undefined],
    ['/org/libvirt/QEMU/domain/_6695eb01_f6a4_8304_79aa_97f2502e193f/more', undefined],
    ['/org/libvirt/QEMU/domain/_6695eb01', undefined],
    ['/org/libvirt/QEMU', undefined],
    ['', undefined],
  ];
  for (const [path, expected] of rows) {
    test(`the UUID of the object path ${path === '' ? 'of nothing' : path} is ${expected === undefined ? 'none' : 'read'}`, () => {
      assert.equal(uuidOfPath(path), expected);
    });
  }
});

test('the begin and the end of running count of virDomainEventType', () => {
  const rows: [number, string, GuestChange | undefined][] = [
    [0, 'defined', undefined],
    [1, 'undefined', undefined],
    [2, 'started', 'started'],
    [3, 'suspended', undefined],
    [4, 'resumed', undefined],
    [5, 'stopped', 'stopped'],
    [6, 'shutdown', undefined],
    [7, 'pmsuspended', undefined],
    [8, 'crashed', 'crashed'],
  ];
  for (const [code, libvirtName, change] of rows) assert.equal(DOMAIN_EVENT[code], change, libvirtName);
});
