import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { KEYS, type KeyName, POLICY_HELP, POLICY_NAMES, readValue } from '../../../src/config/keys.js';
import { planFrom } from '../../support/examples/examples.js';

const NAMES = Object.keys(KEYS) as KeyName[];
const UINT32 = 4294967295;

describe('a whole number has bounds', () => {
  const bounds = {
    KSM_MONITOR_INTERVAL: [1, 86400],
    KSM_SLEEP_MSEC: [0, 60000],
    KSM_NPAGES_BOOST: [-1000000, 1000000],
    KSM_NPAGES_DECAY: [-1000000, 1000000],
    KSM_NPAGES_MIN: [0, UINT32],
    KSM_NPAGES_MAX: [0, UINT32],
    KSM_THRES_COEF: [0, 1000],
    KSM_CPU_MAX: [1, 100],
    KSM_PROBE_MAX: [10, 86400],
    KSM_EVENT_SETTLE: [0, 60000],
  } as const;
  for (const name of Object.keys(bounds) as (keyof typeof bounds)[]) {
    const [least, most] = bounds[name];
    test(`${name} is a whole number from ${least} to ${most}`, () => {
      for (const inside of [least, most]) assert.equal(readValue(name, String(inside)), inside);
      for (const outside of [least - 1, most + 1]) assert.equal(readValue(name, String(outside)), undefined);
      for (const text of ['1.5', '1e3', '0x10', ' 5', '5 ', 'many', '--5', '5m', '1'.repeat(400), 'NaN', 'Infinity']) {
        assert.equal(readValue(name, text), undefined, text);
      }
      assert.equal(readValue(name, `+${most}`), most);
      assert.equal(readValue(name, ''), readValue(name, KEYS[name].fallback));
    });
  }
});

describe('KSM_USE_ZERO_PAGES is decided unless it is given', () => {
  for (const [text, value] of [
    ['', 'auto'],
    ['auto', 'auto'],
    ['0', 0],
    ['1', 1],
    ['keep', 'keep'],
    ['2', undefined],
    ['yes', undefined],
    ['Auto', undefined],
    ['01', undefined],
  ] as const) {
    test(`KSM_USE_ZERO_PAGES=${text} ${value === undefined ? 'is refused' : `is read as ${value}`}`, () => {
      assert.equal(readValue('KSM_USE_ZERO_PAGES', text), value);
    });
  }
});

describe('a setting of the kernel has bounds, and is left alone unless it is given', () => {
  const bounds = {
    KSM_MERGE_ACROSS_NODES: [0, 1],
    KSM_SMART_SCAN: [0, 1],
    KSM_MAX_PAGE_SHARING: [2, 2147483647],
    KSM_STABLE_NODE_CHAINS_PRUNE_MILLISECS: [0, UINT32],
    KSM_MAX_KERNEL_PAGES: [0, 999999999999999],
  } as const;
  for (const name of Object.keys(bounds) as (keyof typeof bounds)[]) {
    const [least, most] = bounds[name];
    test(`${name} is a whole number from ${least} to ${most}, or nothing`, () => {
      for (const inside of [least, most]) assert.equal(readValue(name, String(inside)), inside);
      for (const outside of [least - 1, most + 1]) assert.equal(readValue(name, String(outside)), undefined);
      for (const text of ['1.5', '1e0', '0x1', ' 1', '1 ', '+1', '-0', 'yes', 'auto', '1'.repeat(400), 'NaN']) {
        assert.equal(readValue(name, text), undefined, text);
      }
      assert.equal(readValue(name, ''), null);
      assert.equal(KEYS[name].fallback, '');
      assert.match(KEYS[name].expected, /, or nothing$/);
    });
  }
});

describe('KSM_THRES_CONST is in bytes', () => {
  const rows: [string, number | undefined][] = [
    ['2048', 2048 * 1024],
    ['0', 0],
    ['2048kB', 2048 * 1024],
    ['2048K', 2048 * 1024],
    ['512M', 512 * 1024 ** 2],
    ['512MB', 512 * 1024 ** 2],
    ['512MiB', 512 * 1024 ** 2],
    ['2G', 2 * 1024 ** 3],
    ['2g', 2 * 1024 ** 3],
    ['2 G', 2 * 1024 ** 3],
    ['2 GiB', 2 * 1024 ** 3],
    ['1T', 1024 ** 4],
    ['', 2048 * 1024],
    ['-1', undefined],
    ['2.5G', undefined],
    ['G', undefined],
    ['2X', undefined],
    ['2G2', undefined],
    ['2 G B', undefined],
    ['2B', undefined],
    ['1'.repeat(13), undefined],
  ];
  for (const [text, bytes] of rows) {
    test(`KSM_THRES_CONST="${text}" ${bytes === undefined ? 'is refused' : `is ${bytes} bytes`}`, () => {
      assert.equal(readValue('KSM_THRES_CONST', text), bytes);
    });
  }
});

describe('a switch', () => {
  const rows: [string, boolean][] = [
    ['', false],
    ['0', false],
    ['no', false],
    ['OFF', false],
    ['false', false],
    ['1', true],
    ['yes', true],
    ['2', true],
    ['true', true],
  ];
  for (const [text, on] of rows) {
    test(`a switch with the value "${text}" is ${on ? 'on' : 'off'}`, () => {
      for (const name of ['DEBUG', 'KSM_UNMERGE_TO_APPLY'] as const) assert.equal(readValue(name, text), on, name);
    });
  }
});

describe('a choice', () => {
  const choices = {
    KSM_POLICY: ['ksmtuned', 'adaptive', 'advisor'],
    KSM_MEMORY_ACCOUNTING: ['corrected', 'legacy', 'pss'],
    KSM_ON_EXIT: ['restore', 'leave', 'stop', 'unmerge'],
    KSM_ON_CONFLICT: ['reassert', 'yield'],
    KSM_WHEN: ['needed', 'always'],
  } as const;
  for (const name of Object.keys(choices) as (keyof typeof choices)[]) {
    test(`${name} takes each of its choices, has the first as its default, and takes nothing else`, () => {
      for (const choice of choices[name]) assert.equal(readValue(name, choice), choice);
      assert.equal(readValue(name, ''), choices[name][0], 'empty is the default');
      for (const text of ['something', choices[name][0].toUpperCase(), ` ${choices[name][0]}`]) {
        assert.equal(readValue(name, text), undefined, text);
      }
      for (const choice of choices[name]) assert.ok(KEYS[name].expected.includes(choice));
    });
  }
});

describe('a path', () => {
  for (const name of ['LOGFILE', 'PIDFILE'] as const) {
    test(`${name} takes an absolute path or nothing`, () => {
      assert.equal(readValue(name, '/var/log/ksmtuned'), '/var/log/ksmtuned');
      assert.equal(readValue(name, ''), '', 'empty is none');
      for (const text of ['ksmtuned', './ksmtuned', '~/ksmtuned']) assert.equal(readValue(name, text), undefined, text);
    });
  }
});

describe('KSM_EVENT_RECHECK is a list of seconds', () => {
  const rows: [string, number[] | undefined][] = [
    ['', []],
    ['5', [5]],
    ['5,20', [5, 20]],
    ['5, 20', [5, 20]],
    ['5 20', [5, 20]],
    ['0', [0]],
    ['1,2,3,4,5,6,7,8,9,10', [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]],
    ['1,2,3,4,5,6,7,8,9,10,11', undefined],
    ['5;20', undefined],
    ['-5', undefined],
    ['5s', undefined],
    ['1.5', undefined],
    ['123456', undefined],
  ];
  for (const [text, seconds] of rows) {
    test(`KSM_EVENT_RECHECK="${text}" ${seconds === undefined ? 'is refused' : `is ${seconds.length} times`}`, () => {
      assert.deepEqual(readValue('KSM_EVENT_RECHECK', text), seconds);
    });
  }
});

describe('every key', () => {
  test("every key has ksmtuned's default, or one that keeps to ksmtuned's ways", () => {
    const expected: Partial<Record<KeyName, string>> = {
      KSM_MONITOR_INTERVAL: '60',
      KSM_SLEEP_MSEC: '10',
      KSM_NPAGES_BOOST: '300',
      KSM_NPAGES_DECAY: '-50',
      KSM_NPAGES_MIN: '64',
      KSM_NPAGES_MAX: '1250',
      KSM_THRES_COEF: '20',
      KSM_THRES_CONST: '2048',
      KSM_ON_EXIT: 'restore',
      KSM_ON_CONFLICT: 'reassert',
      KSM_EVENT_SETTLE: '250',
      KSM_EVENT_RECHECK: '5,20',
      KSM_MEMORY_ACCOUNTING: 'corrected',
      KSM_POLICY: 'ksmtuned',
      KSM_CPU_MAX: '50',
      KSM_PROBE_MAX: '600',
      KSM_WHEN: 'needed',
      KSM_UNMERGE_TO_APPLY: '',
      KSM_FORBID_GUESTS: '',
    };
    for (const [name, fallback] of Object.entries(expected)) assert.equal(KEYS[name as KeyName].fallback, fallback);
  });

  for (const name of NAMES) {
    test(`${name} takes its own default, and no text makes it throw`, () => {
      assert.notEqual(readValue(name, KEYS[name].fallback), undefined);
      fc.assert(
        fc.property(fc.string({ unit: 'binary' }), (text) => {
          const value = readValue(name, text);
          if (typeof value === 'number') assert.ok(Number.isSafeInteger(value), String(value));
        }),
      );
    });
  }
});

test("the plan has the configuration's times in milliseconds", () => {
  const plan = planFrom({ KSM_MONITOR_INTERVAL: '7', KSM_EVENT_SETTLE: '80', KSM_EVENT_RECHECK: '1,2' });
  const { policy, because, settings, ...times } = plan;
  assert.deepEqual([because, settings], [{ kind: 'start' }, {}]);
  assert.equal(policy.name, 'ksmtuned');
  assert.deepEqual(times, {
    onConflict: 'reassert',
    accounting: 'corrected',
    unmergesToApply: false,
    intervalMillis: 7000,
    settleMillis: 80,
    recheckMillis: [1000, 2000],
  });
});

test('the help of every key is one line that fits a terminal', () => {
  for (const [key, { help }] of Object.entries(KEYS)) assert.match(help, /^\S.{10,74}[^\s.]$/, key);
});

test('every policy has a line of help and is a value of KSM_POLICY', () => {
  assert.equal(KEYS.KSM_POLICY.expected, `one of ${POLICY_NAMES.join(', ')}`);
  for (const name of POLICY_NAMES) assert.equal(readValue('KSM_POLICY', name), name);
  for (const text of Object.values(POLICY_HELP)) assert.match(text, /^\S.{10,64}[^\s.]$/);
  assert.equal(readValue('KSM_POLICY', 'default'), undefined, 'samepagectl policy default is no policy');
});
