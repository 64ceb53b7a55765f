import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { DBusError } from 'dbus-next';
import * as v from 'valibot';
import { whyAway } from '../../../src/api/client.js';
import { Retune } from '../../../src/api/replies.js';

describe('why samepaged did not answer', () => {
  const wrong = v.safeParse(Retune, { triggers: 1 });
  const rows: readonly (readonly [name: string, error: unknown, says: object])[] = [
    [
      'a name that nobody has',
      new DBusError('org.freedesktop.DBus.Error.ServiceUnknown', 'no such name'),
      { why: 'samepaged is not running' },
    ],
    [
      'an answer of another form',
      new v.ValiError(wrong.issues ?? assert.fail()),
      { why: 'the running samepaged has another version than this command' },
    ],
    [
      'an error of the bus, in its own words',
      new DBusError('org.freedesktop.DBus.Error.AccessDenied', 'denied'),
      { why: 'samepaged cannot be reached', detail: 'denied' },
    ],
    ['no bus', new Error('no D-Bus at X'), { why: 'samepaged cannot be reached', detail: 'no D-Bus at X' }],
  ];
  for (const [name, error, says] of rows) {
    test(`why samepaged did not answer: ${name}`, () => {
      assert.deepEqual(whyAway(error), says);
    });
  }
});
