import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { EXIT, FatalError, errnoOf, messageOf } from '../../src/errors.js';
import { MalformedError, isAbsence, parseWhole } from '../../src/host/sysfs.js';

function failed(code: string): Error {
  return Object.assign(new Error(`${code}: it failed`), { code });
}

describe('errors', () => {
  test('a fatal error carries the exit status', () => {
    const error = new FatalError('no KSM', EXIT.unavailable);
    assert.equal(error.status, 69);
    assert.equal(messageOf(error), 'no KSM');
  });

  test('exit statuses are those of sysexits.h', () => {
    assert.deepEqual(EXIT, {
      ok: 0,
      usage: 64,
      unavailable: 69,
      software: 70,
      ioError: 74,
      tempFail: 75,
      config: 78,
    });
  });

  const codes: [unknown, string | undefined][] = [
    [failed('ENOENT'), 'ENOENT'],
    [Object.assign(new Error('x'), { code: 5 }), undefined],
    [new Error('ENOENT'), undefined],
    [{ code: 'ENOENT' }, undefined],
    ['ENOENT', undefined],
    [undefined, undefined],
  ];
  for (const [index, [error, code]] of codes.entries()) {
    test(`errnoOf gives ${code} for the thrown value ${index}`, () => {
      assert.equal(errnoOf(error), code);
    });
  }

  test('the message of anything thrown is known', () => {
    assert.deepEqual([new Error('a'), 'b', 3, undefined].map(messageOf), ['a', 'b', '3', 'undefined']);
  });
});

describe('a number of the kernel', () => {
  const whole: [string, number][] = [
    ['0', 0],
    ['100', 100],
    ['-4096', -4096],
    ['9007199254740991', Number.MAX_SAFE_INTEGER],
    ['007', 7],
  ];
  for (const [text, value] of whole) {
    test(`"${text}" is a whole number of the kernel`, () => {
      assert.equal(parseWhole(text, 'file'), value);
    });
  }

  for (const text of ['', ' 1', '1 ', '1.5', '1e3', '0x10', '+1', '--1', 'many', '9007199254740993', '1'.repeat(17)]) {
    test(`"${text}" is no whole number of the kernel`, () => {
      assert.throws(() => parseWhole(text, '/sys/file'), {
        message: `/sys/file: expected a whole number, found ${JSON.stringify(text)}`,
      });
    });
  }

  test('the error of a malformed number shows what is found instead, but not all of it', () => {
    const { message } = new MalformedError('/proc/meminfo', 'a line', `\0${'x'.repeat(1000)}`);
    assert.equal(message, `/proc/meminfo: expected a line, found "\\u0000${'x'.repeat(59)}..."`);
  });
});

test('a file that went away is an absence, one that is forbidden is not', () => {
  const rows: [unknown, boolean][] = [
    [failed('ENOENT'), true],
    [failed('ESRCH'), true],
    [failed('ENOTDIR'), true],
    [failed('EACCES'), false],
    [failed('EIO'), false],
    [new Error('ENOENT'), false],
  ];
  for (const [error, absent] of rows) assert.equal(isAbsence(error), absent, messageOf(error));
});
