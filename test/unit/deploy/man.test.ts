import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { busInterface, polkitActions } from '../../../deploy/man/generate/busInterface.js';
import { flagsOf } from '../../../deploy/man/generate/daemonFlags.js';
import { MAN_DIRECTORY, manPages, releaseDate } from '../../../deploy/man/generate/pages.js';
import { escaped, literal } from '../../../deploy/man/generate/roff.js';
import { fill } from '../../../deploy/man/generate/template.js';

describe('the manual pages that are checked in', () => {
  for (const [name, text] of Object.entries(manPages())) {
    it(`the manual page ${name} is what the sources make now`, () => {
      assert.equal(readFileSync(join(MAN_DIRECTORY, name), 'utf8'), text, 'npm run man makes it anew');
    });
  }
});

it('the manual pages are not made for one who asks for help', () => {
  const main = fileURLToPath(new URL('../../../deploy/man/generate/main.js', import.meta.url));
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, '--help'], { cwd: tmpdir(), encoding: 'utf8' });
  assert.deepEqual([status, stdout], [64, '']);
  assert.match(stderr, /^man: takes no "--help"; .*\n$/);
});

describe('a template', () => {
  it('a template of a manual page has its names replaced', () => {
    assert.equal(fill('.TH A 8 "@date@"\n@exit.ok@ a@b', { date: '', 'exit.ok': '0' }, 'a.8.in'), '.TH A 8 ""\n0 a@b');
  });

  it('a template of a manual page cannot name what is not there', () => {
    assert.throws(
      () => fill('@KSM_X@', { KSM_Y: '1' }, 'a.5.in'),
      /^Error: a\.5\.in: there is no @KSM_X@; expected one of KSM_Y$/,
    );
  });

  it('a template of a manual page cannot name what every object has', () => {
    assert.throws(() => fill('@constructor@', {}, 'a.5.in'), /there is no @constructor@/);
  });

  it('a template of a manual page must name everything', () => {
    assert.throws(() => fill('@a@', { a: '1', b: '2' }, 'a.5.in'), /^Error: a\.5\.in: nothing is said of @b@/);
  });
});

describe('roff', () => {
  const rows: readonly [string, string][] = [
    ['a-b', String.raw`a\-b`],
    [String.raw`\n`, String.raw`\en`],
    [".conf\n'quoted", String.raw`\&.conf` + '\n' + String.raw`\&'quoted`],
    ['One. Two? samepaged (e.g. this)', 'One.\nTwo? samepaged (e.g. this)'],
  ];
  for (const [text, roff] of rows) {
    it(`${JSON.stringify(text)} is escaped for roff`, () => {
      assert.equal(escaped(text), roff);
    });
  }

  it('escaping for roff keeps marks that are copied', () => {
    assert.equal(literal(`a'"\`^~`), String.raw`\fBa\(aq\(dq\(ga\(ha\(ti\fR`);
  });
});

it('the options of samepaged are read from its help', () => {
  const help = [
    'Usage: samepaged [OPTION]...',
    'Tunes  --nothing here',
    '',
    '  --config FILE      read FILE',
    '                     and more',
    '  --version, --help  print it and end',
    '',
    'SIGUSR1 retunes now.',
  ].join('\n');
  assert.deepEqual(flagsOf(help), [
    { name: 'config', placeholder: 'FILE', help: 'read FILE and more' },
    { name: 'version', placeholder: undefined, help: 'print it and end' },
    { name: 'help', placeholder: undefined, help: 'print it and end' },
  ]);
});

describe('a D-Bus interface', () => {
  const doc = (text: string) => `<annotation name="org.gtk.GDBus.DocString" value="${text}"/>`;
  const xml = (members: string) => `<node><interface name="a.B">${doc('What it is.')}${members}</interface></node>`;

  it('the XML of a D-Bus interface gives signatures and what is said of members', () => {
    const members = [
      `<method name="Pause">${doc('Rests.')}<arg name="seconds" type="t" direction="in"/><arg type="u" direction="out"/></method>`,
      `<signal name="Rested"><arg type="t"/>${doc('It is over.')}</signal>`,
      `<property name="Run" type="u" access="read">${doc('0 or 1.')}</property>`,
    ];
    assert.deepEqual(busInterface(xml(members.join('')), 'a.B'), {
      interface: 'What it is.',
      methods: String.raw`.TP
\fBPause\fR(t \fIseconds\fR) \-> u
Rests.`,
      signals: String.raw`.TP
\fBRested\fR(t)
It is over.`,
      properties: String.raw`.TP
\fBRun\fR (u)
0 or 1.`,
    });
  });

  it('the XML of a D-Bus interface must be there', () => {
    assert.throws(() => busInterface(xml(''), 'a.C'), /expected the interface a\.C/);
  });

  it('the XML of a D-Bus interface must say something of each member', () => {
    assert.throws(() => busInterface(xml('<method name="Mute"/>'), 'a.B'), /expected a .*DocString of Mute/);
  });
});

it('the actions of a polkit policy are listed', () => {
  const xml = '<policyconfig><action id="a.b"><description>Do b</description></action></policyconfig>';
  assert.equal(
    polkitActions(xml),
    String.raw`.TP
\fBa.b\fR
Do b`,
  );
});

describe('the date', () => {
  it('the date of the manual pages is that of the newest release', () => {
    assert.equal(releaseDate('## [Unreleased]\n\n## [0.2.0] - 2026-12-01\n\n## [0.1.0] - 2026-11-01\n'), '2026-12-01');
  });

  it('the manual pages have no date before the first release', () => {
    assert.equal(releaseDate('## [Unreleased]\n'), '');
  });
});
