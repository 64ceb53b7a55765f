import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { HistoryDecision } from '../../../src/core/history/record.js';
import type { Terminal } from '../../../src/text/terminal.js';
import type { TrajectoryFigures } from '../../../src/replay/figures.js';
import type { RebuiltHost } from '../../../src/replay/rebuild.js';
import type { Trial } from '../../../src/replay/replay.js';
import { type ReportInput, report } from '../../../src/replay/report.js';
import { FROM, MINUTE } from '../../support/simulation/replayHost.js';
import { inTimeZone } from '../../support/timeZone.js';

const GIB = 1024 ** 3;
const PIPE: Terminal = { columns: 80, interactive: false, colour: false, unicode: true };
const HOST: RebuiltHost = {
  ...{ host: { memoryMiB: 4096 }, before: [], savedBytes: 0, later: [], beginMillis: FROM, durationMillis: MINUTE },
};
const SENTENCE = 'guests use 22.2 GiB + 4.8 GiB reserve > 24.0 GiB: merging; free 6.7 GiB > 4.8 GiB: slower by 50';

function decisions(...reasons: readonly string[]): readonly HistoryDecision[] {
  return reasons.map((reason, index) => {
    return {
      kind: 'decision',
      atMillis: FROM + index * MINUTE,
      policy: 'ksmtuned',
      reason,
      sentence: SENTENCE,
      changes: [],
    };
  });
}

function textOf(reasons: readonly string[], terminal = PIPE, savedBytes = GIB, unknown?: string): string {
  const figures: TrajectoryFigures = {
    millis: 1,
    meanSavedBytes: savedBytes,
    ksmdCpuNanos: 1e9,
    pagesScanned: 1,
    to90: [60_000, 'never'],
  };
  const trial: Trial = { figures, decisions: decisions('always') };
  const input: ReportInput = {
    path: 'history.log',
    summary: {
      ...{ fromMillis: FROM, toMillis: FROM + MINUTE, recordedMillis: MINUTE, guests: { least: 0, most: 9, last: 5 } },
      ...{ policies: ['ksmtuned'], meanSavedBytes: GIB, lastSavedBytes: GIB },
      ksmd: { millis: MINUTE, cpuNanos: 1e9, nanosPerPage: undefined },
    },
    recordedDecisions: decisions(...reasons),
    replay: unknown ?? { hosts: [HOST], alikeShare: 0.5, costFactor: 1, recorded: trial, other: trial },
    ...{ recordedConfig: '/etc/ksmtuned.conf', otherName: 'adaptive', terminal },
  };
  return report(input);
}

describe('the report of a replay', () => {
  inTimeZone('UTC');
  const held: readonly (readonly [readonly string[], string | undefined])[] = [
    [['always', 'enough-memory'], undefined],
    [['always', 'paused', 'always'], '1 time'],
    [['paused', 'always', 'stopped', 'unmerged', 'unmerged'], '3 times'],
  ];
  for (const [reasons, times] of held) {
    test(`the report of a replay with ${reasons.join(', ')} says ${times ?? 'nothing'} of holds`, () => {
      const said = /^ {2}merging was held by hand (.*); the replay does not$/m.exec(textOf(reasons))?.[1];
      assert.equal(said, times);
    });
  }

  test('the report of a replay fits a terminal, with sentences below themselves, and says there what it says in a file', () => {
    const words = (text: string) => text.replaceAll(/\s+/g, ' ');
    const shown = textOf(['always', 'paused'], { ...PIPE, interactive: true });
    assert.deepEqual(
      shown.split('\n').filter((line) => line.length > 80),
      [],
    );
    assert.match(shown, /\n {2}5 Jan 08:00:00 {2}adaptive {2}guests use .* GiB:\n {28}merging; /);
    const written = textOf(['always', 'paused']);
    assert.ok(written.includes(`  recorded  ${SENTENCE}\n`));
    assert.equal(words(shown), words(written));
  });

  test('the report of a replay has one average for the recorded policy, and says how far it is from the record', () => {
    const text = textOf(['always'], PIPE, 0.9 * GIB);
    assert.match(
      text,
      /^Under ksmtuned the rebuilt host saves 10 % less memory than the record \(1\.0 GiB on average\)\.$/m,
    );
    assert.match(text, /^ {2}saved on average +921\.6 MiB +921\.6 MiB$/m);
  });

  test('the report of a record that does not show how alike guests are says why, and simulates nothing', () => {
    const text = textOf(['always'], PIPE, GIB, 'ksmd made none');
    assert.match(
      text,
      /\nDecisions where they change, as recorded\n {2}5 Jan 08:00:00 {2}recorded {2}guests use .*\n\nNothing/,
    );
    assert.match(text, /\nNothing is simulated or compared: .* memory is alike \(ksmd made none\)\.\n$/);
    assert.doesNotMatch(text, /adaptive|in common/);
  });
});
