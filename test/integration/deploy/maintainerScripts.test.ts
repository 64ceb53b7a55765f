import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import {
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { removeScratch, scratchDirectory } from '../../support/scratch.js';

const run = promisify(execFile);
const UNITS = '/usr/lib/systemd/system';
/** What an administrator may enable. */
const OPTIONAL = ['samepaged-metrics.socket', 'samepaged-textfile.timer'];
const ALIAS = '/etc/systemd/system/ksmtuned.service';
const WANTED = '/etc/systemd/system/multi-user.target.wants/samepaged.service';
const KSMTUNED = '/etc/systemd/system/multi-user.target.wants/ksmtuned.service';
const CONFIGURATION = 'KSM_NPAGES_MAX=777\n';

/**
 * A root directory on which dpkg would install a foreign system (DPKG_ROOT), systemd not running, with what a removed
 * ksmtuned leaves; the maintainer scripts run on it with the real deb-systemd-helper, systemctl and systemd-sysusers.
 */
class System implements AsyncDisposable {
  readonly root: string;

  private constructor(root: string) {
    this.root = root;
    this.write('/etc/ksmtuned.conf', CONFIGURATION);
    this.write('/usr/bin/systemctl', '');
    cpSync('/bin/true', join(root, 'usr/bin/systemctl'));
    this.link(KSMTUNED, '/usr/lib/systemd/system/ksmtuned.service');
    this.link('/bin', 'usr/bin');
    this.link('/lib', 'usr/lib');
  }

  static async create(): Promise<System> {
    return new System(await scratchDirectory('system'));
  }

  async install(upgradedFrom = ''): Promise<void> {
    mkdirSync(join(this.root, UNITS), { recursive: true });
    for (const unit of ['samepaged.service', ...OPTIONAL]) {
      cpSync(join('deploy/systemd', unit), join(this.root, UNITS, unit));
    }
    this.write('/usr/lib/sysusers.d/samepaged.conf', readFileSync('deploy/systemd/samepaged.sysusers.conf', 'utf8'));
    await this.script('postinst', 'configure', upgradedFrom);
  }

  async remove(): Promise<void> {
    await this.script('prerm', 'remove');
    for (const unit of ['samepaged.service', ...OPTIONAL]) rmSync(join(this.root, UNITS, unit));
    await this.script('postrm', 'remove');
  }

  purge(): Promise<void> {
    return this.script('postrm', 'purge');
  }

  async systemctl(...args: string[]): Promise<void> {
    await run('systemctl', [`--root=${this.root}`, ...args]);
  }

  write(path: string, text: string): void {
    mkdirSync(dirname(join(this.root, path)), { recursive: true });
    writeFileSync(join(this.root, path), text);
  }

  link(path: string, target: string): void {
    mkdirSync(dirname(join(this.root, path)), { recursive: true });
    symlinkSync(target, join(this.root, path));
  }

  /** What links that enabling makes point to, by file name; undefined is none. */
  get enabled(): (string | undefined)[] {
    return [WANTED, ALIAS].map((path) => {
      try {
        return readlinkSync(join(this.root, path)).split('/').at(-1);
      } catch {
        return undefined;
      }
    });
  }

  has(path: string): boolean {
    return existsSync(join(this.root, path));
  }

  /** Also where it leads nowhere. */
  hasLink(path: string): boolean {
    return lstatSync(join(this.root, path), { throwIfNoEntry: false })?.isSymbolicLink() === true;
  }

  private async script(name: string, ...args: string[]): Promise<void> {
    const env = { ...process.env, DPKG_ROOT: this.root, DPKG_MAINTSCRIPT_PACKAGE: 'samepaged' };
    await run('sh', [join('deploy/debian', name), ...args], { env });
    assert.equal(readFileSync(join(this.root, 'etc/ksmtuned.conf'), 'utf8'), CONFIGURATION);
    assert.equal(readlinkSync(join(this.root, KSMTUNED)), '/usr/lib/systemd/system/ksmtuned.service');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await removeScratch(this.root);
  }
}

const ENABLED = ['samepaged.service', 'samepaged.service'];
const DISABLED = [undefined, undefined];
const MASKED = ['samepaged.service', 'null'];

describe('the maintainer scripts', { concurrency: true }, () => {
  it('the maintainer scripts enable the service under both names, make its user, and do so again without harm', async () => {
    await using system = await System.create();
    await system.install();
    await system.install('0.0.1');
    assert.deepEqual(system.enabled, ENABLED);
    assert.match(readFileSync(join(system.root, 'etc/passwd'), 'utf8'), /^samepaged:/m);
  });

  it('the maintainer scripts leave it disabled where an administrator disabled it: over upgrade and reinstallation', async () => {
    await using system = await System.create();
    await system.install();
    await system.systemctl('disable', 'samepaged.service');
    await system.install('0.0.1');
    assert.deepEqual(system.enabled, DISABLED);
    await system.remove();
    await system.install('0.0.1');
    assert.deepEqual(system.enabled, DISABLED);
  });

  it('the maintainer scripts take the alias away with the package, so that a ksmtuned that comes back is itself', async () => {
    await using system = await System.create();
    await system.install();
    system.write('/var/lib/samepaged/ledger.json', '{}');
    await system.remove();
    assert.deepEqual(system.enabled, DISABLED);
    assert.ok(system.has('/var/lib/samepaged/ledger.json'));
    await system.install('0.0.1');
    assert.deepEqual(system.enabled, ENABLED);
  });

  it('the maintainer scripts purge the state and every trace of enabling', async () => {
    await using system = await System.create();
    await system.install();
    const places = ['/var/lib', '/var/log', '/run'];
    for (const place of places) system.write(`${place}/samepaged/file`, '');
    await system.remove();
    await system.purge();
    assert.deepEqual(
      places.filter((place) => system.has(`${place}/samepaged`)),
      [],
    );
    assert.equal(system.has('/var/lib/systemd/deb-systemd-helper-enabled/samepaged.service.dsh-also'), false);
    await system.purge();
  });

  it('the maintainer scripts enable no socket and no timer, and purge what an administrator enabled', async () => {
    await using system = await System.create();
    await system.install();
    const links = ['samepaged.service.wants/samepaged-metrics.socket', 'timers.target.wants/samepaged-textfile.timer'];
    const enabled = () => links.filter((link) => system.hasLink(`/etc/systemd/system/${link}`));
    assert.deepEqual(enabled(), []);
    await system.systemctl('enable', ...OPTIONAL);
    assert.deepEqual(enabled(), links);
    await system.install('0.0.1');
    await system.remove();
    await system.purge();
    assert.deepEqual(enabled(), []);
  });

  it('the maintainer scripts go without the alias where an administrator has masked ksmtuned, and leave the mask', async () => {
    await using system = await System.create();
    system.link(ALIAS, '/dev/null');
    await system.install();
    assert.deepEqual(system.enabled, MASKED);
    await system.systemctl('disable', 'samepaged.service');
    await system.install('0.0.1');
    assert.deepEqual(system.enabled, [undefined, 'null']);
    await system.systemctl('enable', 'samepaged.service').catch(() => undefined);
    await system.remove();
    await system.purge();
    assert.deepEqual(system.enabled, [undefined, 'null']);
  });
});
