import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { DaemonProperties } from '../../../../src/api/replies.js';
import { statusScreen } from '../../../../src/ctl/status/screen.js';
import { assertGolden } from '../../../support/golden.js';
import { GIB, MIB, NOW, PLAIN, PROPERTIES, REPLY } from '../../../support/examples/ctlExamples.js';

const SCREENS: Readonly<Record<string, Partial<DaemonProperties>>> = {
  merging: {},
  'at rest, nothing saved': {
    run: 0,
    savedBytes: 0,
    sharingRatio: 0,
    ksmdCpuPercent: 0,
    bookkeepingBytes: 0,
    profitBytes: 0,
    guestCount: 0,
    guestMemoryBytes: 0,
    lastRetune: { ...REPLY, triggers: ['timer'], sentence: 'free 10.5 GiB > 3.2 GiB: not merging', problems: [] },
  },
  'paused, and the policy set by hand': {
    run: 0,
    policy: 'adaptive',
    hold: 'paused',
    holdUntilUSec: (NOW + 500_000) * 1000,
    nextLookUSec: (NOW + 500_000) * 1000,
    lastRetune: {
      ...REPLY,
      triggers: ['asked for by D-Bus Pause'],
      sentence: 'paused by hand: not merging for another 10 min, or until somebody resumes',
    },
  },
  'allowed no page': { pagesToScan: 0 },
  'another program sets run': {
    lastRetune: {
      ...REPLY,
      sentence: 'free 10.5 GiB > 3.2 GiB: not merging',
      left: ['run'],
      problems: [
        'run is 1 but samepaged had set it to 0: something else changed it; samepaged leaves run to others until the ' +
          'configuration is reloaded (KSM_ON_CONFLICT)',
      ],
    },
  },
  unmerged: { run: 2, savedBytes: 0, hold: 'unmerged' },
  'pages could not split': { savedBytes: 12 * GIB, availableBytes: 5 * GIB },
  'pages could hardly split': { savedBytes: 4.8 * GIB, availableBytes: 5 * GIB },
  'a loss, many triggers, a dry run of another guest source': {
    profitBytes: -70 * MIB,
    savedBytes: MIB,
    ksmdCpuPercent: null,
    libvirtConnected: false,
    dryRun: true,
    guestCount: 1,
    lastRetune: { ...REPLY, triggers: ['guest a started', 'guest b started', 'timer', 'reload', 'start'] },
  },
  'before the first look': {
    run: 0,
    ksmdCpuPercent: null,
    nextLookUSec: 0,
    lastRetune: { triggers: [], changes: [], problems: [] },
  },
  'a failed look': {
    lastRetune: { triggers: ['timer'], changes: [], problems: [], failure: '/proc/meminfo: expected MemTotal above 0' },
  },
  'the clock was set back, and ended guests still count': {
    guestMemoryBytes: GIB,
    lastRetune: { ...REPLY, realtimeUSec: (NOW + 3_600_000) * 1000 },
    nextLookUSec: (NOW - 5000) * 1000,
  },
  'as long as it gets': {
    policy: 'adaptive',
    savedBytes: 123.4 * GIB,
    guestMemoryBytes: 1234.5 * GIB,
    profitBytes: -10 * GIB,
    availableBytes: 5 * GIB,
    libvirtConnected: false,
    dryRun: true,
    hold: 'paused',
    holdUntilUSec: (NOW + 86_399_000) * 1000,
    lastRetune: {
      ...REPLY,
      triggers: ['guest database-primary started', 'guest database-replica started', 'guest web started', 'timer'],
      problems: [
        'libvirt refused to set the node memory parameters (Operation not permitted): they are written to /sys/kernel/mm/ksm',
        'run is 1 but samepaged had set it to 0: something else changed it',
        'a third',
        'a fourth',
      ],
    },
  },
};

describe('the screen of samepagectl status', () => {
  const drawn = Object.entries(SCREENS).map(
    ([name, parts]) => [name, statusScreen({ ...PROPERTIES, ...parts }, NOW, PLAIN)] as const,
  );

  test('the screen of samepagectl status says what it said', () => {
    assertGolden('status.txt', drawn.map(([name, screen]) => `== ${name}\n${screen}\n`).join('\n'));
  });

  for (const [name, screen] of drawn) {
    test(`the screen of samepagectl status fits 80x24 with a prompt below: ${name}`, () => {
      const lines = screen.split('\n');
      assert.ok(lines.length <= 23, String(lines.length));
      for (const line of lines) assert.ok(line.length <= 80, line);
    });
  }

  test('the screen of samepagectl status is colourful only where it is asked to be', () => {
    const bad = { ...PROPERTIES, ...SCREENS['pages could not split'] };
    const colourful = statusScreen(bad, NOW, { ...PLAIN, colour: true });
    const headline = '\u001b[1m\u001b[32mKSM is merging\u001b[39m\u001b[22m';
    assert.ok(colourful.startsWith(`${headline}\n`), colourful);
    assert.match(colourful, /headroom +\u001b\[1m\u001b\[31munmerging[^\n]*short\u001b\[39m\u001b\[22m\n/);
    assert.equal(colourful.replaceAll(/\u001b\[[\d;]*m/g, ''), statusScreen(bad, NOW, PLAIN));
  });
});
