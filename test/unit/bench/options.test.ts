import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { SCENARIO_NAMES, scenario } from '../../../src/simulation/step.js';
import { USAGE, UsageError, readOptions } from '../../bench/ksm/options.js';
import { reserveFor } from '../../bench/ksm/stage.js';
import { TUNER_NAMES } from '../../bench/ksm/tuners.js';

describe("the benchmark's command line", () => {
  test('the benchmark without options has every option at its default', () => {
    assert.deepEqual(readOptions([]), {
      scenarios: SCENARIO_NAMES,
      coRunner: true,
      tuners: TUNER_NAMES,
      sizes: { guests: 13, commonMiB: 1024, ownMiB: 256, zeroMiB: 1200, rewrittenMiBPerSecond: 64 },
      cpuMaxPercent: 70,
      limitMillis: 420_000,
      afterMillis: 300_000,
      forMillis: undefined,
      jsonFile: undefined,
      logFile: undefined,
    });
  });
  test('co-runner compares no tuners, so it stands beside the scenarios', () => {
    const { scenarios, coRunner } = readOptions(['--scenario', 'co-runner,unique']) ?? {};
    assert.deepEqual({ scenarios, coRunner }, { scenarios: ['unique'], coRunner: true });
  });
  test('the benchmark takes every option', () => {
    const numbers = [
      '--guests=2',
      '--common=3',
      '--own=4',
      '--rewritten=5',
      '--cpu-max=6',
      '--limit=70',
      '--after=80',
      '--for=90',
    ];
    const files = ['--json', 'a file', '--log', 'another'];
    assert.deepEqual(readOptions(['--scenario', 'churn', '--tuner=off', ...numbers, ...files]), {
      scenarios: ['churn'],
      coRunner: false,
      tuners: ['off'],
      sizes: { guests: 2, commonMiB: 3, ownMiB: 4, zeroMiB: 1200, rewrittenMiBPerSecond: 5 },
      cpuMaxPercent: 6,
      limitMillis: 70_000,
      afterMillis: 80_000,
      forMillis: 90_000,
      jsonFile: 'a file',
      logFile: 'another',
    });
  });
  test("lists in the benchmark's options keep the order of the table", () => {
    const options = readOptions(['--tuner', 'off, flat-out,adaptive', '--scenario', 'boot-storm,full-host']);
    assert.deepEqual(options?.tuners, ['adaptive', 'flat-out', 'off']);
    assert.deepEqual(options.scenarios, ['full-host', 'boot-storm']);
  });
  test('--help runs no benchmark', () => {
    assert.equal(readOptions(['--help', '--guests', '5']), undefined);
  });
  test("the benchmark's help names every scenario and tuner", () => {
    for (const name of [...SCENARIO_NAMES, ...TUNER_NAMES]) assert.match(USAGE, new RegExp(`\\b${name}\\b`));
  });

  const wrong: [string[], RegExp][] = [
    [['--scenario', 'full-hoste'], /--scenario: there is no "full-hoste"; there are full-host, /],
    [['--tuner', ''], /--tuner: there is no ""/],
    [['--guests', '1'], /--guests must be a whole number from 2 to 200, not "1"/],
    [['--guests', '2.5'], /not "2.5"/],
    [['--common', '2049'], /--common/],
    [['--own', ''], /--own must be/],
    [['--cpu-max', '101'], /--cpu-max must be a whole number from 1 to 100/],
    [['--limit', '9'], /--limit/],
    [['--after=-1'], /--after/],
    [['--gests', '4'], /--gests/],
    [['full-host'], /full-host/],
  ];
  for (const [args, sentence] of wrong) {
    test(`the benchmark refuses ${args.join(' ')}`, () => {
      assert.throws(
        () => readOptions(args),
        (error) => error instanceof UsageError && sentence.test(error.message),
      );
    });
  }
});

describe('the reserve', () => {
  const GIB_KB = 1024 ** 2;
  const sizes = { guests: 4, commonMiB: 512, ownMiB: 336, zeroMiB: 1200, rewrittenMiBPerSecond: 1 };

  test("the benchmark's reserve is so large that four small guests and it exceed memory", () => {
    // A guest has 176 MiB besides its content: 1 GiB each.
    const reserve = reserveFor(scenario('full-host', sizes), 24 * 1024 ** 3);
    assert.deepEqual(reserve, { KSM_THRES_COEF: 0, KSM_THRES_CONST: 20.25 * GIB_KB });
  });
  test("the benchmark's reserve is the default where that is enough", () => {
    const reserve = reserveFor(scenario('full-host', { ...sizes, guests: 22 }), 24 * 1024 ** 3);
    assert.deepEqual(reserve, { KSM_THRES_COEF: 0, KSM_THRES_CONST: Math.trunc(4.8 * GIB_KB) });
  });
  test("the benchmark's reserve counts the guests of a boot storm that are not there yet", () => {
    const full = reserveFor(scenario('full-host', sizes), 24 * 1024 ** 3);
    assert.deepEqual(reserveFor(scenario('boot-storm', sizes), 24 * 1024 ** 3), full);
  });
  test("the benchmark's reserve does not count the guest that is yet to arrive", () => {
    const full = reserveFor(scenario('full-host', sizes), 24 * 1024 ** 3);
    assert.deepEqual(reserveFor(scenario('late-guest', sizes), 24 * 1024 ** 3), full);
  });
  test("the benchmark's reserve is not touched where memory is plenty", () => {
    assert.deepEqual(reserveFor(scenario('plenty', sizes), 24 * 1024 ** 3), {});
  });
});
