import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { chooseGuest } from '../../../../src/ctl/guests/find.js';

const guest = (pid: number, name: string, plainName?: string, vmId?: string) => ({
  ...{ pid, name, vmId },
  ...(plainName === undefined ? {} : { plainName }),
});
const GUESTS = [
  guest(11, 'web'),
  guest(21, 'vault (104)', 'vault', '104'),
  guest(31, 'windows'),
  guest(32, 'windows (pid 32)', 'windows'),
];

describe('the guest that a person means', () => {
  const rows: [name: string, pid: number | undefined][] = [
    ['web', 11],
    ['vault (104)', 21],
    ['vault', 21],
    ['104', 21],
    ['windows (pid 31)', 31],
    ['windows (pid 32)', 32],
    ['windows (pid 33)', undefined],
    ['we', undefined],
  ];
  for (const [name, pid] of rows) {
    test(`the guest that a person names ${name} is ${pid === undefined ? 'nobody' : `pid ${pid}`}`, () => {
      assert.equal(chooseGuest(name, GUESTS)?.pid, pid);
    });
  }

  test('a guest is not guessed where several have the name', () => {
    assert.throws(() => chooseGuest('windows', GUESTS), {
      message:
        '2 running guests are called windows: none of them is changed; name one of windows (pid 31), windows (pid 32)',
    });
  });
});
