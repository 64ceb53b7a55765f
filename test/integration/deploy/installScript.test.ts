import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, readlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { removeScratch, scratchDirectory } from '../../support/scratch.js';
import { VERSION } from '../../support/version.js';

const run = promisify(execFile);

/** A directory in place of a host's root, with the scripts run on it. */
class Destination implements AsyncDisposable {
  readonly root: string;

  private constructor(root: string) {
    this.root = root;
  }

  static async create(): Promise<Destination> {
    const root = join(await scratchDirectory('install'), 'a host');
    mkdirSync(root);
    return new Destination(root);
  }

  script(name: 'install' | 'uninstall', ...args: string[]) {
    return run(`deploy/${name}.sh`, args, { env: { ...process.env, DESTDIR: this.root } });
  }

  write(path: string, text: string): void {
    mkdirSync(dirname(join(this.root, path)), { recursive: true });
    writeFileSync(join(this.root, path), text);
  }

  read(path: string): string {
    return readFileSync(join(this.root, path), 'utf8');
  }

  /** Everything in it, without the directories. */
  files(): string[] {
    const entries = readdirSync(this.root, { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => !entry.isDirectory());
    return files.map((entry) => join(entry.parentPath, entry.name).slice(this.root.length)).sort();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await removeScratch(dirname(this.root));
  }
}

/** The page for Cockpit. */
const PAGE = [
  ...['index.css.gz', 'index.html', 'index.js.gz', 'manifest.json', 'po.manifest.zh_CN.js.gz', 'po.zh_CN.js.gz'].map(
    (name) => `/usr/share/cockpit/samepaged/${name}`,
  ),
  '/usr/share/doc/cockpit-samepaged/copyright',
  '/usr/share/metainfo/org.samepaged.cockpit_samepaged.metainfo.xml',
];
const UNIT = '/usr/lib/systemd/system/samepaged.service';

// An installation takes seconds: each host is installed once or twice, and all that can be seen on it is checked.
describe('deploy/install.sh', () => {
  describe('on a host without Cockpit and ksmtuned', () => {
    let host: Destination;
    let found: readonly string[] = [];
    before(async () => {
      host = await Destination.create();
      host.write('/etc/ksmtuned.conf', 'KSM_NPAGES_MAX=777\n');
      host.write('/var/lib/samepaged/ledger.json', '{}\n');
      host.write('/usr/share/doc/samepaged/mine', '');
      found = host.files();
      await host.script('install', '--bindir=/opt/bin');
    });
    after(() => host[Symbol.asyncDispose]());

    it('install.sh on a host without Cockpit and ksmtuned installs its files, and no page for Cockpit', () => {
      const files = host.files();
      assert.equal(files.filter((path) => !path.includes('/chunks/')).length, 43 + found.length);
      assert.deepEqual(
        files.filter((path) => path.includes('cockpit')),
        [],
      );
    });

    it('install.sh makes samepaged an alias of ksmtuned.service where no ksmtuned is', () => {
      assert.match(host.read(UNIT), /^Alias=ksmtuned\.service$/m);
    });

    describe('a second time, with a ksmtuned.service of a package and --cockpit', () => {
      const foreign = '/usr/lib/systemd/system/ksmtuned.service';
      before(async () => {
        host.write(foreign, '[Service]\n');
        await host.script('install', '--cockpit');
      });

      it('install.sh beside a ksmtuned.service of a package makes samepaged no alias of that service', () => {
        assert.doesNotMatch(host.read(UNIT), /^Alias=/m);
      });

      it('install.sh with --cockpit installs the page for Cockpit', () => {
        assert.deepEqual(
          host.files().filter((path) => path.includes('cockpit')),
          PAGE,
        );
      });

      it('install.sh keeps its own command ksmtuned, which says what to do instead', async () => {
        const refused = { code: 1, stdout: '', stderr: /^ksmtuned: samepaged .*systemctl (start|stop) samepaged\n$/ };
        await assert.rejects(run(join(host.root, 'usr/sbin/ksmtuned'), ['debug']), refused);
      });

      it('one uninstall.sh removes what two install.sh made, and what was there before stays', async () => {
        assert.ok(existsSync(join(host.root, 'opt/bin/samepaged')));
        await host.script('uninstall');
        assert.deepEqual(host.files(), [...found, foreign].toSorted());
        assert.deepEqual(readdirSync(host.root).sort(), ['etc', 'usr', 'var']);
        assert.deepEqual(readdirSync(join(host.root, 'usr')).sort(), ['lib', 'share']);
        assert.deepEqual(readdirSync(join(host.root, 'usr/lib')), ['systemd']);
        assert.deepEqual(readdirSync(join(host.root, 'usr/share')), ['doc']);
      });
    });
  });

  it('install.sh where Cockpit is installs its page, and leaves a ksmtuned of somebody else', async () => {
    await using host = await Destination.create();
    const shell = '/usr/share/cockpit/shell/manifest.json';
    const script = '/usr/sbin/ksmtuned';
    host.write(shell, '{}');
    host.write(script, 'the script');
    await host.script('install');
    const page = host.files().filter((path) => path.includes('cockpit'));
    assert.deepEqual(page, [...PAGE, shell].toSorted());
    await host.script('uninstall');
    assert.deepEqual(host.files(), [script, shell].toSorted());
    assert.equal(host.read(script), 'the script');
  });

  it('install.sh installs where it is told to, and the service starts what is there', async () => {
    await using host = await Destination.create();
    await host.script('install', '--prefix=/usr/local', '--unitdir=/etc/systemd/system', '--node=/opt/node');
    const unit = host.read('/etc/systemd/system/samepaged.service');
    assert.match(unit, /^ExecStart=\/usr\/local\/lib\/samepaged\/service$/m);
    assert.doesNotMatch(unit, /\/usr\/bin\/samepage/);
    const program = '/usr/local/lib/samepaged/samepaged.js';
    assert.equal(readlinkSync(join(host.root, 'usr/local/bin/samepaged')), '../lib/samepaged/samepaged.js');
    assert.match(host.read(program), /^#!\/opt\/node\n/);
    const launcher = host.read('/usr/local/lib/samepaged/service');
    assert.match(launcher, /^node='\/opt\/node'$/m);
    assert.match(launcher, / \/usr\/local\/lib\/samepaged\/samepaged\.js /);
    assert.deepEqual(readdirSync(join(host.root, 'usr')).sort(), ['local', 'share']);
    assert.deepEqual(readdirSync(join(host.root, 'usr/share')).sort(), ['dbus-1', 'polkit-1']);
    const { stdout } = await run(process.execPath, [join(host.root, program), '--version']);
    assert.equal(stdout, `samepaged ${VERSION}\n`);
    await host.script('uninstall', '--prefix=/usr/local');
    assert.deepEqual(readdirSync(host.root), []);
  });

  it('install.sh leaves alone what a package has installed', async () => {
    await using host = await Destination.create();
    host.write('/usr/lib/samepaged/samepaged.js', 'the package’s');
    await assert.rejects(host.script('install'), {
      code: 1,
      stderr: `install.sh: ${host.root}/usr/lib/samepaged is there and not by install.sh: remove the package samepaged first\n`,
    });
    await assert.rejects(host.script('uninstall'), { code: 1, stderr: /installed-files cannot be read/ });
    assert.deepEqual(host.files(), ['/usr/lib/samepaged/samepaged.js']);
  });

  for (const option of ['--prefix=here', '--colour', 'now']) {
    it(`install.sh takes no ${option}`, async () => {
      await using host = await Destination.create();
      for (const script of ['install', 'uninstall'] as const) {
        await assert.rejects(host.script(script, option), {
          code: 64,
          stderr: new RegExp(`^${script}.sh: ${option}: expected `),
        });
      }
      assert.deepEqual(host.files(), []);
    });
  }

  for (const option of [
    ...['/opt/my host', '/opt/a&b', '/opt/a|b', '/opt/%h', '/opt/ü'].map((path) => `--prefix=${path}`),
    '--bindir=/opt/%h',
    '--node=/opt/my host/node',
  ]) {
    it(`install.sh takes no ${option}, which could not stand in a unit or a program`, async () => {
      await using host = await Destination.create();
      await assert.rejects(host.script('install', option), {
        code: 64,
        stderr: `install.sh: ${option}: expected only letters, digits and / . _ + - in a path that goes into the unit and the programs\n`,
      });
      assert.deepEqual(host.files(), []);
    });
  }

  it('install.sh takes no relative DESTDIR', async () => {
    const env = { ...process.env, DESTDIR: 'out' };
    await assert.rejects(run('deploy/install.sh', ['--node=/nowhere'], { env }), {
      code: 64,
      stderr: 'install.sh: DESTDIR=out: expected an absolute path\n',
    });
  });

  for (const version of ['v18.20.4', 'v20.18.3', 'v21.7.3', 'v22.12.0', 'v23.11.0']) {
    it(`install.sh installs nothing for Node ${version}`, async () => {
      await using host = await Destination.create();
      const node = join(dirname(host.root), 'node');
      writeFileSync(node, `#!/bin/sh\necho ${version}\n`, { mode: 0o755 });
      const target = join(dirname(host.root), 'target');
      const args = [`--prefix=${target}`, `--sharedir=${target}/share`, `--node=${node}`];
      await assert.rejects(run('deploy/install.sh', args, { env: { ...process.env, DESTDIR: '' } }), {
        code: 1,
        stderr: `install.sh: ${node} is ${version}: expected 20.19, 22.13 or 24 and newer\n`,
      });
      assert.ok(!existsSync(target));
    });
  }
});
