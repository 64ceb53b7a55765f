import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { GuestMemory, Mergeability } from '../../../../src/core/mergeability.js';
import type { GuestsReport } from '../../../../src/ctl/guests/report.js';
import { type SharingChange, sharingText } from '../../../../src/ctl/guests/sharing.js';
import { guestsTable } from '../../../../src/ctl/guests/table.js';
import { widthOf } from '../../../../src/text/cells.js';
import type { Terminal } from '../../../../src/text/terminal.js';
import { PLAIN } from '../../../support/examples/ctlExamples.js';

const MIB = 1024 ** 2;
const GIB = 1024 ** 3;
const YES: Mergeability = { mergeable: true, obstacles: [], locked: false };
const no = (...obstacles: Mergeability['obstacles']): Mergeability => ({ mergeable: false, obstacles, locked: false });

function guest(name: string, parts: Partial<GuestMemory> = {}): GuestMemory {
  return {
    id: name,
    name,
    pid: 7,
    manager: 'libvirt',
    vmId: undefined,
    cgroup: undefined,
    stranger: undefined,
    configuredBytes: 2 * GIB,
    residentBytes: 1.25 * GIB,
    mergeability: YES,
    mergedPages: 0,
    mergedBytes: 0,
    freedBytes: undefined,
    profitBytes: 0,
    ...parts,
  };
}

function report(guests: readonly GuestMemory[], parts: Partial<GuestsReport> = {}): GuestsReport {
  return { source: 'libvirt', guests, hostSavedBytes: 0, otherMergers: undefined, notes: [], ...parts };
}

describe('the table', () => {
  test('the table of guests says what the next start of a guest changes', () => {
    const lines = guestsTable(
      report([
        guest('vault', { mergeability: no('taken back'), allowedNext: true }),
        guest('bank', { mergeability: no('taken back'), allowedNext: false }),
        guest('web', { allowedNext: false }),
        guest('mail', { allowedNext: true }),
      ]),
      { ...PLAIN, columns: 100 },
    ).split('\n');
    assert.match(lines[2] ?? '', /^vault .* no: taken back$/);
    assert.deepEqual(lines.slice(7), [
      'taken back: QEMU has withdrawn its memory from KSM; samepagectl guests allow --now -- NAME offers it',
      'again',
      'vault: from its next start on KSM may merge its memory',
      'web: from its next start on KSM may not merge its memory',
    ]);
  });

  test('the table of guests shows three guests', () => {
    const merged = { mergedPages: 131072, mergedBytes: 512 * MIB, profitBytes: 504.5 * MIB };
    const table = guestsTable(
      report(
        [
          guest('web', merged),
          guest('db', { mergedPages: 300, mergedBytes: 300 * 4096, profitBytes: -3.25 * MIB }),
          guest('bank', { mergeability: no('nosharepages') }),
        ],
        { hostSavedBytes: 256 * MIB },
      ),
      PLAIN,
    );
    assert.deepEqual(table.split('\n'), [
      '                         MERGED  MERGED',
      'GUEST  MEMORY  RESIDENT   PAGES  MEMORY  PROFIT  MERGEABLE',
      'web     2.0Gi     1.3Gi  131072   512Mi   505Mi  yes',
      'db      2.0Gi     1.3Gi     300   1.2Mi  -3.3Mi  yes',
      'bank    2.0Gi     1.3Gi       0       0       0  no: nosharepages',
      '',
      'nosharepages: merging is forbidden; samepagectl guests allow -- NAME allows it',
      "MERGED MEMORY is what a guest's merged pages amount to, not what it alone frees:",
      'of equal pages one copy stays. PROFIT is that less what KSM keeps in memory for',
      'the guest. In all KSM saves 256.0 MiB here.',
    ]);
  });

  test('the table of guests fits 80 columns with 17 letters and large figures', () => {
    const large = {
      configuredBytes: 1000 * GIB,
      residentBytes: 999 * GIB,
      mergedPages: 2 ** 27,
      mergedBytes: 512 * GIB,
    };
    const guests = [
      guest('instance-0000001a', { ...large, profitBytes: -999 * MIB }),
      guest('b', { mergeability: no('nosharepages', 'shared') }),
      guest('c', { mergeability: no('not offered') }),
      guest('d', { mergeability: { ...YES, locked: true } }),
    ];
    const notes = ['guests are read from /proc only: libvirt-dbus is not on the bus: install and start libvirt-dbus'];
    const lines = guestsTable(report(guests, { notes, hostSavedBytes: 500 * GIB }), PLAIN).split('\n');
    for (const line of lines) assert.ok(line.length <= 80, `${line.length}: ${line}`);
    assert.equal(lines.filter((line) => line.startsWith('nosharepages: ')).length, 1);
    assert.equal(lines.filter((line) => line.startsWith('shared: ')).length, 0);
    assert.match(lines.join(' '), /locked: KSM merges locked memory too; .*not offered: |not offered: .*locked: KSM /);
    assert.match(lines.join(' '), /read from \/proc only: libvirt-dbus is not on the bus/);
  });

  test('the table of guests shows what nobody tells as -', () => {
    const untold = {
      configuredBytes: undefined,
      residentBytes: undefined,
      mergedPages: undefined,
      mergedBytes: undefined,
    };
    const guests = [guest('old', { ...untold, profitBytes: undefined, mergeability: undefined })];
    const lines = guestsTable(report(guests, { hostSavedBytes: undefined, notes: ['why'] }), PLAIN).split('\n');
    assert.deepEqual(lines.slice(1), [
      'GUEST  MEMORY  RESIDENT   PAGES  MEMORY  PROFIT  MERGEABLE',
      'old         -         -       -       -       -  -',
      '',
      'why',
    ]);
  });

  test('the table of no guest says so, and why it may be wrong', () => {
    assert.equal(guestsTable(report([]), PLAIN), 'no guest is running');
    assert.equal(guestsTable(report([], { notes: ['why'] }), PLAIN), 'no guest is running\nwhy');
  });

  for (const [bytes, text] of [
    [0, '0'],
    [1023, '1023'],
    [1024, '1.0Ki'],
    [9.96 * MIB, '10Mi'],
    [10 * MIB, '10Mi'],
    [1023.7 * MIB, '1024Mi'],
    [1.5 * 1024 * GIB, '1.5Ti'],
    [-4096, '-4.0Ki'],
  ] as const) {
    test(`a profit of ${bytes} bytes is ${text} in the table of guests`, () => {
      assert.match(guestsTable(report([guest('a', { profitBytes: bytes })]), PLAIN), new RegExp(` ${text} {2}yes$`));
    });
  }
});

describe('the table, of names', () => {
  const long = `${'instance-'.repeat(9)}x`;
  const secret = guest(long, { mergeability: no('nosharepages') });
  const rowsOf = (names: readonly GuestMemory[], terminal: Partial<Terminal>) =>
    guestsTable(report(names), { ...PLAIN, ...terminal })
      .split('\n')
      .slice(0, names.length + 2);

  for (const columns of [80, 100]) {
    test(`a table with long names fits a terminal of ${columns} columns, and uses them`, () => {
      const rows = rowsOf([guest('web'), secret], { columns, interactive: true });
      assert.equal(Math.max(...rows.map((row) => widthOf(row))), columns);
      assert.match(rows.at(-1) ?? '', /^instance-inst\S+… .* no: nosharepages$/);
    });
  }

  test('long names of guests are whole where there is room, and for a program', () => {
    for (const terminal of [{ columns: 200, interactive: true }, { interactive: false }]) {
      assert.ok(rowsOf([secret], terminal).at(-1)?.startsWith(`${long} `));
    }
  });

  test('the table of guests says in ASCII that it cuts a name, where the terminal shows no more', () => {
    const [, , row = ''] = rowsOf([secret], { interactive: true, unicode: false });
    assert.match(row, /^[ -~]+$/);
    assert.match(row, /^instance-i\S+~ /);
  });

  test('names with wide letters and control characters stay in their columns', () => {
    const cells = { web: 3, Küche: 5, '東京-データ': 11, ﾃﾞｰﾀ: 4, '🐧': 2, 'a\u001b[2Jb': 6 };
    const names = Object.keys(cells);
    const [, heading = '', ...rows] = rowsOf(
      names.map((name) => guest(name)),
      { interactive: true },
    );
    const blanks = rows.map((row) => /^\S+( +)/.exec(row)?.[1]?.length ?? 0);
    assert.deepEqual(
      blanks.map((width, at) => width + (Object.values(cells)[at] ?? 0)),
      names.map(() => heading.indexOf('MEMORY') + 1),
      rows.join('\n'),
    );
    assert.ok(rows.at(-1)?.startsWith('a?[2Jb '), rows.at(-1));
  });
});

describe('what became of a guest', () => {
  const done: SharingChange = {
    guest: 'web',
    forbidden: true,
    changed: true,
    running: true,
    pending: true,
    saved: false,
    obstacles: [],
  };
  const rows: { name: string; change: Partial<SharingChange>; text: string }[] = [
    {
      name: 'forbidden while it runs',
      change: {},
      text:
        'guest web: KSM may not merge its memory from its next start on: ' +
        'shut it down and start it; a reboot from inside is not enough',
    },
    {
      name: 'forbidden while it is off',
      change: { running: false, pending: false },
      text: 'guest web: KSM may not merge its memory from its next start on',
    },
    {
      name: 'allowed while it is off',
      change: { forbidden: false, running: false, pending: false },
      text: 'guest web: KSM may merge its memory from its next start on',
    },
    {
      name: 'changed back to what it runs with',
      change: { pending: false },
      text: 'guest web: KSM may not merge its memory, now and from its next start on',
    },
    {
      name: 'with a saved state',
      change: { running: false, pending: false, saved: true },
      text:
        'guest web: KSM may not merge its memory from its next start on, ' +
        'but it has a saved state to go on from: virsh managedsave-remove -- web',
    },
    {
      name: 'with nothing to change',
      change: { changed: false, pending: false },
      text: 'guest web: nothing to change, KSM may not merge its memory',
    },
    {
      name: 'with nothing to change that was not restarted since',
      change: { changed: false },
      text:
        'guest web: nothing to change, KSM may not merge its memory from its next start on: ' +
        'shut it down and start it; a reboot from inside is not enough',
    },
  ];
  for (const { name, change, text } of rows) {
    test(`a guest ${name} is told with what follows`, () => {
      assert.equal(sharingText({ ...done, ...change }), text);
    });
  }
});
