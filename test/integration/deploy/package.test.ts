import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { eventually } from '../../support/daemon.js';
import { removeScratch, scratchDirectory } from '../../support/scratch.js';
import { VERSION } from '../../support/version.js';

const run = promisify(execFile);
const HOST = 'fixtures/hosts/kernel-6.12';
const SCRIPTS = ['postinst', 'postrm', 'prerm'];

/** Everything in it that is not a directory, with its mode. */
const FILES = `
lrwxrwxrwx usr/bin/samepagectl
lrwxrwxrwx usr/bin/samepaged
lrwxrwxrwx usr/share/man/man8/ksmtuned.8.gz
-rw-r--r-- usr/lib/samepaged/chunks/…
-rw-r--r-- usr/lib/samepaged/daemon.js
-rw-r--r-- usr/lib/samepaged/package.json
-rwxr-xr-x usr/lib/samepaged/samepagectl.js
-rwxr-xr-x usr/lib/samepaged/samepaged.js
-rwxr-xr-x usr/lib/samepaged/service
-rw-r--r-- usr/lib/systemd/system/samepaged-metrics.socket
-rw-r--r-- usr/lib/systemd/system/samepaged-textfile.service
-rw-r--r-- usr/lib/systemd/system/samepaged-textfile.timer
-rw-r--r-- usr/lib/systemd/system/samepaged.service
-rw-r--r-- usr/lib/sysusers.d/samepaged.conf
-rwxr-xr-x usr/sbin/ksmtuned
-rw-r--r-- usr/share/bash-completion/completions/samepagectl
-rw-r--r-- usr/share/dbus-1/interfaces/org.samepaged1.Manager.xml
-rw-r--r-- usr/share/dbus-1/system.d/org.samepaged1.conf
-rw-r--r-- usr/share/doc/samepaged/CHANGELOG.md.gz
-rw-r--r-- usr/share/doc/samepaged/changelog.gz
-rw-r--r-- usr/share/doc/samepaged/copyright
-rw-r--r-- usr/share/doc/samepaged/examples/ksmtuned.conf
-rw-r--r-- usr/share/doc/samepaged/runbooks/SamepagedAnotherTuner.md
-rw-r--r-- usr/share/doc/samepaged/runbooks/SamepagedBurstDoesNotEnd.md
-rw-r--r-- usr/share/doc/samepaged/runbooks/SamepagedForbiddenGuestMergeable.md
-rw-r--r-- usr/share/doc/samepaged/runbooks/SamepagedKsmdOverBudget.md
-rw-r--r-- usr/share/doc/samepaged/runbooks/SamepagedKsmdStarved.md
-rw-r--r-- usr/share/doc/samepaged/runbooks/SamepagedLibvirtGone.md
-rw-r--r-- usr/share/doc/samepaged/runbooks/SamepagedMergingAtALoss.md
-rw-r--r-- usr/share/doc/samepaged/runbooks/SamepagedNoHeadroom.md
-rw-r--r-- usr/share/doc/samepaged/runbooks/SamepagedNotMergingThoughShort.md
-rw-r--r-- usr/share/doc/samepaged/status.schema.json
-rw-r--r-- usr/share/fish/vendor_completions.d/samepagectl.fish
-rw-r--r-- usr/share/lintian/overrides/samepaged
-rw-r--r-- usr/share/man/man1/samepagectl.1.gz
-rw-r--r-- usr/share/man/man5/ksmtuned.conf.5.gz
-rw-r--r-- usr/share/man/man5/org.samepaged1.5.gz
-rw-r--r-- usr/share/man/man8/samepaged.8.gz
-rw-r--r-- usr/share/polkit-1/actions/org.samepaged1.policy
-rw-r--r-- usr/share/polkit-1/rules.d/50-samepaged.rules
-rw-r--r-- usr/share/samepaged/grafana/samepaged-fleet.json
-rw-r--r-- usr/share/samepaged/grafana/samepaged-host.json
-rw-r--r-- usr/share/samepaged/prometheus/samepaged-alerts.yml
-rw-r--r-- usr/share/samepaged/prometheus/samepaged-rules.yml
-rw-r--r-- usr/share/zsh/vendor-completions/_samepagectl
`;

describe('the Debian package', () => {
  let directory = '';
  let deb = '';
  let root = '';
  /** One of its programs, run by this Node. */
  const program = (name: string, ...args: string[]) =>
    run(process.execPath, [join(root, 'usr/bin', name), ...args], { cwd: directory });

  before(async () => {
    directory = await scratchDirectory('package');
    await run('deploy/package.sh', [directory]);
    deb = join(directory, `samepaged_${VERSION}_all.deb`);
    root = join(directory, 'root');
    await run('dpkg-deb', ['--raw-extract', deb, root]);
  });
  after(() => removeScratch(directory));

  it('has these files, of root, and no node_modules', async () => {
    const { stdout } = await run('dpkg-deb', ['--contents', deb]);
    const lines = stdout.trim().split('\n');
    assert.deepEqual([...new Set(lines.map((line) => line.split(/\s+/)[1]))], ['root/root']);
    const files = lines.filter((line) => !line.startsWith('d'));
    const found = files.map((line) => line.replace(/^(\S+)\s.*? \.\/(\S+).*$/, '$1 $2'));
    // The chunks are called after what is in them.
    const known = found.map((line) => line.replace(/(?<=chunks\/)[\w-]+\.js$/, '…'));
    assert.deepEqual([...new Set(known)].sort(), FILES.trim().split('\n').sort());
  });

  it('is the same, byte for byte, when somebody else builds it elsewhere', async () => {
    const other = join(directory, 'other');
    mkdirSync(other);
    const env = { ...process.env, TZ: 'Pacific/Auckland', LC_ALL: 'C.UTF-8', TMPDIR: other };
    await run('sh', ['-c', `umask 077; exec deploy/package.sh '${other}'`], { env });
    assert.ok(readFileSync(join(other, `samepaged_${VERSION}_all.deb`)).equals(readFileSync(deb)));
    assert.deepEqual(readdirSync(other), [`samepaged_${VERSION}_all.deb`]);
  });

  it('takes the place of ksmtuned, and owns no configuration', async () => {
    const { stdout } = await run('dpkg-deb', ['--field', deb, 'Version', 'Conflicts', 'Replaces', 'Provides']);
    const fields = [
      'Conflicts: ksmtuned, ksm-control-daemon\n',
      'Replaces: ksmtuned, ksm-control-daemon\n',
      'Provides: ksmtuned\n',
    ];
    assert.equal(stdout, `Version: ${VERSION}\n${fields.join('')}`);
    assert.deepEqual(readdirSync(join(root, 'DEBIAN')).sort(), ['control', 'md5sums', ...SCRIPTS]);
    await run('md5sum', ['--check', '--quiet', 'DEBIAN/md5sums'], { cwd: root });
  });

  it('has shell scripts that shellcheck finds nothing in', async () => {
    const scripts = SCRIPTS.map((name) => join(root, 'DEBIAN', name));
    for (const script of scripts) await run('sh', ['-n', script]);
    await run('shellcheck', [
      'deploy/package.sh',
      'deploy/install.sh',
      'deploy/uninstall.sh',
      'deploy/ksmtuned.sh',
      'deploy/systemd/service.sh',
      ...scripts,
    ]);
  });

  it('has programs that run without node_modules', async () => {
    assert.equal((await program('samepaged', '--version')).stdout, `samepaged ${VERSION}\n`);
    assert.match((await program('samepaged', '--print-config')).stdout, /^KSM_MONITOR_INTERVAL=60 /);
    assert.match((await program('samepagectl', 'help')).stdout, /^Usage: samepagectl /);
    const elsewhere = ['--bus', 'unix:path=/nowhere', '--root', join(process.cwd(), HOST)];
    await assert.rejects(program('samepagectl', 'watch', '--once', ...elsewhere), {
      code: 3,
      stdout: /^KSM is not merging /,
    });
    for (const name of ['samepaged', 'samepagectl']) {
      assert.match(readFileSync(join(root, 'usr/bin', name), 'utf8'), /^#!\/usr\/bin\/node\n/);
    }
  });

  it('has a daemon that decides, and whose log reads well on a terminal', async () => {
    const args = `--dry-run --root '${HOST}' --bus unix:path=/nowhere --libvirt none`;
    const command = `NO_COLOR=1 '${process.execPath}' '${root}/usr/bin/samepaged' ${args}`;
    const terminal = spawn('script', ['-qec', command, '/dev/null'], { stdio: ['pipe', 'pipe', 'inherit'] });
    let text = '';
    terminal.stdout.setEncoding('utf8').on('data', (more: string) => (text += more));
    try {
      await eventually(
        () => text.includes('Ctrl-C ends it'),
        undefined,
        () => text,
      );
      terminal.stdin.write('\x03');
      await eventually(
        () => /\[[\d:]+\] INFO: SIGINT: stopping/.test(text),
        undefined,
        () => text,
      );
    } finally {
      terminal.kill('SIGKILL');
    }
    assert.match(text, /decision +guests use 0 B/);
  });

  it('names every package that is bundled, with its licence', () => {
    const text = readFileSync(join(root, 'usr/share/doc/samepaged/copyright'), 'utf8');
    const library = join(root, 'usr/lib/samepaged');
    const programs = readdirSync(library, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.js'));
    const bundled = programs.map((name) => readFileSync(join(library, name), 'utf8')).join('\n');
    const used = new Set([...bundled.matchAll(/^\/\/ (node_modules\/(?:@[^/]+\/)?[^/]+)\//gm)].map(([, path]) => path));
    assert.ok(used.size > 20, String(used.size));
    for (const path of used) assert.ok(text.includes(`\nFiles: ${String(path)}/*\nCopyright: `), path);
    assert.ok(text.includes('Copyright: 2015-2018 Google, Inc., Netflix, Inc., Microsoft Corp. and contributors\n'));
  });
});
