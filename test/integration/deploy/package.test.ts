import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { runInNewContext } from 'node:vm';
import { gunzipSync } from 'node:zlib';
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
-rw-r--r-- usr/share/apparmor/extra-profiles/samepaged
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

const PAGE_FILES = `
-rw-r--r-- usr/share/cockpit/samepaged/index.css.gz
-rw-r--r-- usr/share/cockpit/samepaged/index.html
-rw-r--r-- usr/share/cockpit/samepaged/index.js.gz
-rw-r--r-- usr/share/cockpit/samepaged/manifest.json
-rw-r--r-- usr/share/cockpit/samepaged/po.manifest.zh_CN.js.gz
-rw-r--r-- usr/share/cockpit/samepaged/po.zh_CN.js.gz
-rw-r--r-- usr/share/doc/cockpit-samepaged/changelog.gz
-rw-r--r-- usr/share/doc/cockpit-samepaged/copyright
-rw-r--r-- usr/share/metainfo/org.samepaged.cockpit_samepaged.metainfo.xml
`;
/** Of the page, as Cockpit serves it. */
const MOST_PAGE_BYTES = 200_000;

/** Everything in a package that is not a directory, with its mode. */
async function filesOf(deb: string): Promise<readonly string[]> {
  const { stdout } = await run('dpkg-deb', ['--contents', deb]);
  const lines = stdout.trim().split('\n');
  assert.deepEqual([...new Set(lines.map((line) => line.split(/\s+/)[1]))], ['root/root']);
  const files = lines.filter((line) => !line.startsWith('d'));
  return files.map((line) => line.replace(/^(\S+)\s.*? \.\/(\S+).*$/, '$1 $2'));
}

describe('the Debian packages', () => {
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

  it('the Debian package samepaged has its files, of root, and no node_modules', async () => {
    const found = await filesOf(deb);
    // The chunks are called after what is in them.
    const known = found.map((line) => line.replace(/(?<=chunks\/)[\w-]+\.js$/, '…'));
    assert.deepEqual([...new Set(known)].sort(), FILES.trim().split('\n').sort());
  });

  it('the Debian packages are the same, byte for byte, when somebody else builds them elsewhere', async () => {
    const other = join(directory, 'other');
    mkdirSync(other);
    const env = { ...process.env, TZ: 'Pacific/Auckland', LC_ALL: 'C.UTF-8', TMPDIR: other };
    await run('sh', ['-c', `umask 077; exec deploy/package.sh '${other}'`], { env });
    const names = readdirSync(other);
    assert.deepEqual(names.sort(), [`cockpit-samepaged_${VERSION}_all.deb`, `samepaged_${VERSION}_all.deb`]);
    for (const name of names) {
      assert.ok(readFileSync(join(other, name)).equals(readFileSync(join(directory, name))), name);
    }
  });

  it('the Debian package samepaged takes the place of ksmtuned, and owns no configuration', async () => {
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

  it('the Debian package samepaged has shell scripts that shellcheck finds nothing in', async () => {
    const scripts = SCRIPTS.map((name) => join(root, 'DEBIAN', name));
    for (const script of scripts) await run('sh', ['-n', script]);
    await run('shellcheck', [
      'deploy/package.sh',
      'deploy/release.sh',
      'deploy/source.sh',
      'deploy/install.sh',
      'deploy/uninstall.sh',
      'deploy/ksmtuned.sh',
      'deploy/systemd/service.sh',
      'deploy/debian/tests/service',
      ...scripts,
    ]);
  });

  it('the Debian package samepaged has programs that run without node_modules', async () => {
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

  it('the Debian package samepaged has a daemon that decides, and whose log reads well on a terminal', async () => {
    const args = `--dry-run --root '${HOST}' --bus unix:path=/nowhere --libvirt none`;
    const command = `NO_COLOR=1 '${process.execPath}' '${root}/usr/bin/samepaged' ${args}`;
    const terminal = spawn('script', ['-qec', command, '/dev/null'], { stdio: ['pipe', 'pipe', 'inherit'] });
    let text = '';
    terminal.stdout.setEncoding('utf8').on('data', (more: string) => (text += more));
    try {
      await eventually(
        () => text.includes('Ctrl-C ends it'),
        () => text,
      );
      terminal.stdin.write('\x03');
      await eventually(
        () => /\[[\d:]+\] INFO: SIGINT: stopping/.test(text),
        () => text,
      );
    } finally {
      terminal.kill('SIGKILL');
    }
    assert.match(text, /decision +guests use 0 B/);
  });

  it('the Debian package samepaged names every package that is bundled, with its licence', () => {
    const text = readFileSync(join(root, 'usr/share/doc/samepaged/copyright'), 'utf8');
    const library = join(root, 'usr/lib/samepaged');
    const programs = readdirSync(library, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.js'));
    const bundled = programs.map((name) => readFileSync(join(library, name), 'utf8')).join('\n');
    const used = new Set([...bundled.matchAll(/^\/\/ (node_modules\/(?:@[^/]+\/)?[^/]+)\//gm)].map(([, path]) => path));
    assert.ok(used.size > 20, String(used.size));
    for (const path of used) assert.ok(text.includes(`\nFiles: ${String(path)}/*\nCopyright: `), path);
    assert.ok(text.includes('Copyright: 2015-2018 Google, Inc., Netflix, Inc., Microsoft Corp. and contributors\n'));
  });
  describe('for Cockpit', () => {
    let page = '';
    let pageDeb = '';
    const read = (name: string) => gunzipSync(readFileSync(join(page, 'usr/share/cockpit/samepaged', name))).toString();
    before(async () => {
      pageDeb = join(directory, `cockpit-samepaged_${VERSION}_all.deb`);
      page = join(directory, 'page');
      await run('dpkg-deb', ['--raw-extract', pageDeb, page]);
    });

    it('the Debian package for Cockpit has these files, and needs samepaged of the same version', async () => {
      assert.deepEqual([...(await filesOf(pageDeb))].sort(), PAGE_FILES.trim().split('\n').sort());
      const { stdout } = await run('dpkg-deb', ['--field', pageDeb, 'Depends']);
      assert.equal(stdout, `cockpit-bridge (>= 300), samepaged (= ${VERSION})\n`);
    });

    it("the Debian package for Cockpit tells software managers and Cockpit's list of applications what it is", async () => {
      const name = 'usr/share/metainfo/org.samepaged.cockpit_samepaged.metainfo.xml';
      await run('appstreamcli', ['validate', '--no-net', '--pedantic', join(page, name)]);
    });

    it(`the Debian package for Cockpit has a page of less than ${MOST_PAGE_BYTES / 1000} kB`, () => {
      const served = join(page, 'usr/share/cockpit/samepaged');
      const bytes = readdirSync(served).reduce((sum, name) => sum + statSync(join(served, name)).size, 0);
      assert.ok(bytes < MOST_PAGE_BYTES, String(bytes));
    });

    it('the Debian package for Cockpit has a style sheet that uses no property which is not there', () => {
      const css = read('index.css.gz');
      const declared = new Set(Array.from(css.matchAll(/(?<=[{;])(--[\w-]+):/g), ([, name]) => name));
      const missing = Array.from(
        css.matchAll(/var\((--curve-[\w-]+|--mark-[\w-]+|--pf-t--[\w-]+)\)/g),
        ([, name]) => name,
      );
      assert.deepEqual(
        [...new Set(missing)].filter((name) => !declared.has(name)),
        [],
      );
      assert.ok(declared.size > 300, String(declared.size));
    });

    it('the Debian package for Cockpit names the packages that are bundled, with their licences', () => {
      const text = readFileSync(join(page, 'usr/share/doc/cockpit-samepaged/copyright'), 'utf8');
      for (const name of ['react', 'react-dom', '@patternfly/react-core', '@patternfly/patternfly', 'uplot']) {
        assert.ok(text.includes(`\nFiles: node_modules/${name}/*\nCopyright: `), name);
      }
    });

    it('the Debian package for Cockpit tells Cockpit its translations, those of the menu apart', () => {
      const told: Record<string, unknown>[] = [];
      for (const name of ['po.zh_CN.js.gz', 'po.manifest.zh_CN.js.gz']) {
        runInNewContext(read(name), { cockpit: { locale: (texts: Record<string, unknown>) => told.push(texts) } });
      }
      assert.equal(JSON.stringify(told[1]?.['Memory merging']), '[null,"内存合并"]');
      assert.deepEqual([Object.keys(told[1] ?? {}).length, Object.keys(told[0] ?? {}).length > 100], [2, true]);
    });
  });
});
