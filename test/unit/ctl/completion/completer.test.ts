import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { POLICY_HELP } from '../../../../src/config/keys.js';
import { completions } from '../../../../src/ctl/completion/completer.js';
import { POLICY_WORDS } from '../../../../src/ctl/policy.js';
import { OPTIONS } from '../../../../src/ctl/verb.js';
import { VERBS } from '../../../../src/ctl/verbs.js';

const VERB_NAMES = Object.keys(VERBS);
const FLAGS = Object.keys(OPTIONS).map((name) => `--${name}`);
const SHELLS = ['bash', 'zsh', 'fish'];
const GUESTS = ['web', 'web server'];

async function complete(...typed: readonly string[]) {
  const asked: { readonly bus: string; readonly libvirt: string }[] = [];
  const output = await completions(typed, {
    verbs: VERBS,
    guests: (where) => {
      asked.push(where);
      return Promise.resolve(GUESTS);
    },
  });
  const lines = output.split('\n').filter((line) => line !== '');
  return { lines, texts: lines.map((line) => line.split('\t')[0]), asked };
}

describe('what is offered', () => {
  const rows: readonly (readonly [typed: readonly string[], texts: readonly string[]])[] = [
    [[], VERB_NAMES],
    [[''], VERB_NAMES],
    [['sta'], VERB_NAMES],
    [['--'], [...FLAGS, '--help', '--version']],
    [['-'], [...FLAGS, '--help', '--version']],
    [
      ['--bus', ''],
      ['system', 'session'],
    ],
    [['--bus', 'session', 'po'], VERB_NAMES],
    [
      ['doctor', '--libvirt', ''],
      ['/org/libvirt/QEMU', 'none'],
    ],
    [
      ['pause', ''],
      ['10m', '1h', '8h'],
    ],
    [['--bus=s'], ['--bus=system', '--bus=session']],
    [['--json=s'], []],
    [['--nonsense=s'], []],
    [['--bus', 'session', ''], VERB_NAMES],
    [['--bus=session', ''], VERB_NAMES],
    [
      ['status', '--'],
      ['--bus', '--json', '--help'],
    ],
    [['status', ''], []],
    [['dance', ''], []],
    [['dance', '--'], ['--help']],
    [['constructor', ''], []],
    [['policy', ''], POLICY_WORDS],
    [['policy', '--json', ''], POLICY_WORDS],
    [['policy', '--bus', 'session', ''], POLICY_WORDS],
    [['policy', 'adaptive', ''], []],
    [['help', ''], VERB_NAMES],
    [['completion', ''], SHELLS],
    [
      ['guests', ''],
      ['forbid', 'allow'],
    ],
    [['guests', 'forbid', ''], GUESTS],
    [['guests', 'forbid', 'web', ''], []],
    [['config', ''], ['check']],
  ];
  for (const [typed, texts] of rows) {
    test(`after the words ${JSON.stringify(typed)} completion offers what can stand there`, async () => {
      assert.deepEqual((await complete(...typed)).texts, texts);
    });
  }

  test('completion leaves names of files and directories to the shell', async () => {
    assert.deepEqual((await complete('config', 'check', '')).lines, ['\tfile']);
    assert.deepEqual((await complete('doctor', '--root', '/x')).lines, ['\tdirectory']);
    assert.deepEqual((await complete('doctor', '--root=/x')).lines, ['\tdirectory']);
  });

  test('each line of completion describes what it offers', async () => {
    assert.deepEqual((await complete('policy', '')).lines, [
      ...Object.entries(POLICY_HELP).map((entry) => entry.join('\t')),
      'default\tas configured',
    ]);
    assert.ok((await complete('')).lines.includes(`stop\t${VERBS['stop']?.summary ?? ''}`));
    assert.ok((await complete('doctor', '--')).lines.includes(`--root\t${OPTIONS.root.help}`));
  });

  test('completion asks the bus and the libvirt on the line for guests, and only where one is to be named', async () => {
    const usual = { bus: OPTIONS.bus.default, libvirt: OPTIONS.libvirt.default };
    assert.deepEqual((await complete('guests', 'forbid', '')).asked, [usual]);
    assert.deepEqual((await complete('--bus=session', 'guests', '--libvirt', '/Test', 'allow', 'w')).asked, [
      { bus: 'session', libvirt: '/Test' },
    ]);
    for (const typed of [['guests', ''], ['guests', 'forbid', '--'], ['']]) {
      assert.deepEqual((await complete(...typed)).asked, []);
    }
  });
});
