import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { type CommandResult, runDaemon } from '../../support/daemon.js';
import { assertGolden } from '../../support/golden.js';
import { HostTree } from '../../support/hostTree.js';

/** Writes the files, by their path below /etc, and has them printed; `HOST` stands for the tree. */
async function print(files: Readonly<Record<string, string>>): Promise<CommandResult & { lines: string[] }> {
  using tree = HostTree.create();
  for (const [name, text] of Object.entries(files)) tree.write(`etc/${name}`, text);
  const { status, stdout, stderr } = await runDaemon([
    '--print-config',
    '--config',
    join(tree.root, 'etc/ksmtuned.conf'),
  ]);
  const named = (text: string) => text.replaceAll(tree.root, 'HOST');
  return { status, stdout: named(stdout), stderr: named(stderr), lines: named(stderr).trimEnd().split('\n') };
}

/** The line of one key, blanks taken together. */
function line(stdout: string, key: string): string | undefined {
  const found = stdout.split('\n').find((text) => text.startsWith(`${key}=`));
  return found?.replace(/ +/g, ' ');
}

describe('configuration', { concurrency: true }, () => {
  it('--print-config shows every value and where it came from', async () => {
    const { status, stdout, stderr } = await print({
      'ksmtuned.conf': [
        '# as hosts have it',
        'KSM_MONITOR_INTERVAL=30',
        'export KSM_NPAGES_MAX="2000" # faster',
        "LOGFILE='/var/log/ksm tuned'",
        'DEBUG=1 KSM_SLEEP_MSEC=20',
        '',
      ].join('\n'),
      'ksmtuned.conf.d/50-more.conf': 'KSM_THRES_CONST=2G\nKSM_EVENT_RECHECK=1,2\n',
    });
    assert.equal(stderr, '');
    assert.equal(status, 0);
    assertGolden('print-config.txt', stdout);
  });

  it('a file that sets nothing means the defaults', async () => {
    const { status, stdout, stderr } = await print({ 'ksmtuned.conf': '' });
    assert.equal(stderr, '');
    assert.equal(status, 0);
    assertGolden('print-config-defaults.txt', stdout);
  });

  it('drop-ins win over the file, the later name over the earlier, and only *.conf counts', async () => {
    const { stdout } = await print({
      'ksmtuned.conf': 'KSM_NPAGES_MIN=1\nKSM_NPAGES_MAX=1\nKSM_NPAGES_BOOST=1\nKSM_SLEEP_MSEC=1\nKSM_SLEEP_MSEC=2\n',
      'ksmtuned.conf.d/20-b.conf': 'KSM_NPAGES_MAX=3\nKSM_NPAGES_BOOST=3\n',
      'ksmtuned.conf.d/10-a.conf': 'KSM_NPAGES_MAX=2\n',
      'ksmtuned.conf.d/30-c.conf.rpmnew': 'KSM_NPAGES_MAX=4\n',
      'ksmtuned.conf.d/.40-d.conf': 'KSM_NPAGES_MAX=5\n',
    });
    assert.equal(line(stdout, 'KSM_NPAGES_MIN'), 'KSM_NPAGES_MIN=1 # HOST/etc/ksmtuned.conf:1');
    assert.equal(line(stdout, 'KSM_NPAGES_MAX'), 'KSM_NPAGES_MAX=3 # HOST/etc/ksmtuned.conf.d/20-b.conf:1');
    assert.equal(line(stdout, 'KSM_NPAGES_BOOST'), 'KSM_NPAGES_BOOST=3 # HOST/etc/ksmtuned.conf.d/20-b.conf:2');
    assert.equal(line(stdout, 'KSM_SLEEP_MSEC'), 'KSM_SLEEP_MSEC=2 # HOST/etc/ksmtuned.conf:5');
  });

  it('an unknown key is a warning with its place and the nearest known key', async () => {
    const { status, stdout, lines } = await print({
      'ksmtuned.conf': '\nKSM_NPAGE_MAX=2000\nWALLPAPER=blue\nKSM_NPAGES_MAX=900\n',
    });
    assert.equal(status, 0);
    assert.deepEqual(lines, [
      'HOST/etc/ksmtuned.conf:2: unknown key KSM_NPAGE_MAX; did you mean KSM_NPAGES_MAX? (ignored)',
      'HOST/etc/ksmtuned.conf:3: unknown key WALLPAPER (ignored)',
    ]);
    assert.equal(line(stdout, 'KSM_NPAGES_MAX'), 'KSM_NPAGES_MAX=900 # HOST/etc/ksmtuned.conf:4');
  });

  it('all bad values of all configuration files are told at once, each with its place and what was expected', async () => {
    const { status, stdout, stderr, lines } = await print({
      'ksmtuned.conf': 'KSM_MONITOR_INTERVAL=0\nKSM_NPAGES_MAX=many\nKSM_ON_EXIT=explode\nKSM_THRES_CONST=2X\n',
      'ksmtuned.conf.d/a.conf': 'KSM_EVENT_RECHECK=soon\nLOGFILE=relative\n',
    });
    assert.equal(status, 78);
    assert.equal(stdout, '');
    assert.equal(lines.length, 6, stderr);
    const expected = [
      /ksmtuned\.conf:1: KSM_MONITOR_INTERVAL=0: expected a whole number of seconds from 1 to 86400$/,
      /ksmtuned\.conf:2: KSM_NPAGES_MAX=many: expected a whole number of pages/,
      /ksmtuned\.conf:3: KSM_ON_EXIT=explode: expected one of restore, leave, stop, unmerge$/,
      /ksmtuned\.conf:4: KSM_THRES_CONST=2X: expected an amount in kB, or with a unit/,
      /ksmtuned\.conf\.d\/a\.conf:1: KSM_EVENT_RECHECK=soon: expected up to ten whole numbers of seconds/,
      /ksmtuned\.conf\.d\/a\.conf:2: LOGFILE=relative: expected an absolute path, or nothing$/,
    ];
    for (const [index, pattern] of expected.entries()) assert.match(lines[index] ?? '', pattern);
  });

  it('unknown keys are told with the errors of the configuration, each in its line', async () => {
    const { status, lines } = await print({
      'ksmtuned.conf': 'KSM_SLEEP_MSEC=soon\nKSM_COLOUR=blue\nwhat\nKSM_NPAGE_MAX=5\n',
      'ksmtuned.conf.d/a.conf': 'KSM_ON_EXITS=stop\n',
    });
    assert.equal(status, 78);
    assert.deepEqual(
      lines.map((line) => line.replace(/^(?:samepaged: )?HOST\/etc\/([^ ]+): (.{17}).*$/, '$1 $2')),
      [
        'ksmtuned.conf:1 KSM_SLEEP_MSEC=so',
        'ksmtuned.conf:2 unknown key KSM_C',
        'ksmtuned.conf:3 "what" is not KEY',
        'ksmtuned.conf:4 unknown key KSM_N',
        'ksmtuned.conf.d/a.conf:1 unknown key KSM_O',
      ],
    );
  });

  it('a policy that this kernel cannot have is told with the unknown keys', async () => {
    using tree = HostTree.create('kernel-5.10');
    tree.write('etc/ksmtuned.conf', 'KSM_COLOUR=blue\nKSM_POLICY=advisor\n');
    const file = join(tree.root, 'etc/ksmtuned.conf');
    const { status, stderr } = await runDaemon(['--root', tree.root, '--config', file, '--libvirt', 'none']);
    assert.equal(status, 78);
    assert.match(stderr, /:2: KSM_POLICY=advisor: it needs [^\n]*\n[^\n]*:1: unknown key KSM_COLOUR \(ignored\)\n$/);
  });

  it('bad values end the daemon too, not only --print-config, before it touches anything', async () => {
    using tree = HostTree.create();
    tree.setMeminfo({ MemFree: 300_000 });
    tree.write('etc/ksmtuned.conf', 'KSM_SLEEP_MSEC=-1\n');
    const file = join(tree.root, 'etc/ksmtuned.conf');
    const { status, stderr } = await runDaemon(['--root', tree.root, '--config', file, '--libvirt', 'none']);
    assert.equal(status, 78);
    assert.match(stderr, /^samepaged: .*ksmtuned\.conf:1: KSM_SLEEP_MSEC=-1: expected a whole number of milliseconds/);
    assert.equal(tree.ksm('run'), '0');
  });

  it('tp-libvirt node_memtune: its bad values end the daemon with the line of each, and nothing is set', async () => {
    using tree = HostTree.create();
    tree.setMeminfo({ MemFree: 300_000 });
    const lines = [
      'KSM_NPAGES_MAX=-0x1',
      "KSM_SLEEP_MSEC='~!@#$%^*()'",
      'KSM_MERGE_ACROSS_NODES=2',
      'KSM_MERGE_ACROSS_NODES=11111111111',
    ];
    tree.write('etc/ksmtuned.conf', `${lines.join('\n')}\n`);
    const file = join(tree.root, 'etc/ksmtuned.conf');
    const { status, stderr } = await runDaemon(['--root', tree.root, '--config', file, '--libvirt', 'none']);
    assert.equal(status, 78);
    const told = stderr
      .trimEnd()
      .split('\n')
      .map((line) => /ksmtuned\.conf:(\d): (\w+)=.*: expected /.exec(line)?.slice(1));
    assert.deepEqual(told, [
      ['1', 'KSM_NPAGES_MAX'],
      ['2', 'KSM_SLEEP_MSEC'],
      ['3', 'KSM_MERGE_ACROSS_NODES'],
      ['4', 'KSM_MERGE_ACROSS_NODES'],
    ]);
    assert.equal(tree.ksm('run'), '0');
  });

  it('lines of the configuration that need a shell are refused as such, and nothing is executed', async () => {
    using tree = HostTree.create();
    const trap = join(tree.root, 'executed');
    const file = join(tree.root, 'etc/ksmtuned.conf');
    const shell = [`KSM_NPAGES_MAX=$(touch ${trap}; echo 5)`, 'KSM_NPAGES_MIN=$((2*32))', 'A=`id`', '. /etc/other'];
    tree.write('etc/ksmtuned.conf', `${shell.join('\n')}\nif true; then\nKSM_SLEEP_MSEC = 10\n`);
    const { status, stderr } = await runDaemon(['--print-config', '--config', file]);
    const lines = stderr.trimEnd().split('\n');
    assert.equal(status, 78);
    assert.equal(lines.length, 6, stderr);
    for (const text of lines.slice(0, 3)) assert.match(text, /needs a shell; this file is read, not run/);
    for (const text of lines.slice(3, 5)) assert.match(text, /is not KEY=VALUE; this file is read, not run/);
    assert.match(lines[5] ?? '', /:6: .*has a space beside "="; expected KEY=VALUE without one/);
    assert.throws(() => tree.read('executed'));
  });

  it('NUL bytes in the configuration are refused with the line', async () => {
    const { status, lines } = await print({ 'ksmtuned.conf': 'KSM_SLEEP_MSEC=10\nKSM_NPAGES_MAX=12\0 50\n' });
    assert.equal(status, 78);
    assert.deepEqual(lines, ['samepaged: HOST/etc/ksmtuned.conf:2: contains a NUL byte; expected text']);
  });

  it('CRLF, a byte order mark and a missing last newline do not matter in the configuration', async () => {
    const { status, stdout, stderr } = await print({
      'ksmtuned.conf': '\uFEFFKSM_SLEEP_MSEC=20\r\n\r\nexport KSM_NPAGES_MAX="900"\r\nDEBUG=',
    });
    assert.equal(stderr, '');
    assert.equal(status, 0);
    assert.equal(line(stdout, 'KSM_SLEEP_MSEC'), 'KSM_SLEEP_MSEC=20 # HOST/etc/ksmtuned.conf:1');
    assert.equal(line(stdout, 'KSM_NPAGES_MAX'), 'KSM_NPAGES_MAX=900 # HOST/etc/ksmtuned.conf:3');
  });

  it('a configuration file that cannot be read is an error, unlike one that is missing', async () => {
    const { status, lines } = await print({ 'ksmtuned.conf/a': '', 'ksmtuned.conf.d': 'a file' });
    assert.equal(status, 78);
    assert.deepEqual(lines, [
      'samepaged: HOST/etc/ksmtuned.conf.d: cannot be read (ENOTDIR)',
      'HOST/etc/ksmtuned.conf: cannot be read (it is a directory and no regular file)',
    ]);
  });

  it('KSM_NPAGES_MIN above KSM_NPAGES_MAX is a warning', async () => {
    const { status, lines } = await print({ 'ksmtuned.conf': 'KSM_NPAGES_MIN=500\nKSM_NPAGES_MAX=400\n' });
    assert.equal(status, 0);
    assert.deepEqual(lines, [
      'HOST/etc/ksmtuned.conf:1: KSM_NPAGES_MIN (500) is above KSM_NPAGES_MAX (400): ' +
        'pages_to_scan will alternate between them, as with ksmtuned',
    ]);
  });

  it('values that are hardly meant are warnings: a decay without its sign, a negative boost, no pages', async () => {
    const { status, lines } = await print({
      'ksmtuned.conf': 'KSM_NPAGES_DECAY=50\nKSM_NPAGES_BOOST=-300\nKSM_NPAGES_MIN=0\nKSM_NPAGES_MAX=0\n',
    });
    assert.equal(status, 0);
    assert.deepEqual(lines, [
      'HOST/etc/ksmtuned.conf:4: KSM_NPAGES_MAX is 0: while the policy ksmtuned merges, ksmd scans nothing',
      'HOST/etc/ksmtuned.conf:1: KSM_NPAGES_DECAY (50) is above 0: ksmd gets faster while memory is not short; is a minus missing?',
      'HOST/etc/ksmtuned.conf:2: KSM_NPAGES_BOOST (-300) is below 0: ksmd gets slower while memory is short',
    ]);
  });
});
