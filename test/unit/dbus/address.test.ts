import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { busAddressProblem } from '../../../src/dbus/address.js';

describe('the value of --bus', () => {
  const buses = [
    'system',
    'session',
    'unix:path=/run/bus',
    'unix:abstract=/tmp/x,guid=1',
    'tcp:host=h,port=1;unix:dir=/a',
  ];
  for (const value of buses) {
    test(`--bus ${value} can be a bus`, () => {
      assert.equal(busAddressProblem(value), undefined);
    });
  }

  for (const [value, hint] of [
    ['', ''],
    ['foo', ''],
    ['sytem', '; did you mean system?'],
    ['Session', '; did you mean session?'],
    ['/run/bus', ''],
    ['unix:', ''],
    ['unix:/run/bus', ''],
    ['unix:path=', ''],
  ] as const) {
    test(`--bus "${value}" is refused`, () => {
      const expected = '--bus takes system, session or a D-Bus address as unix:path=/run/bus';
      assert.equal(busAddressProblem(value), `${expected}, not "${value}"${hint}`);
    });
  }
});
