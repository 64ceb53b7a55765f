import assert from 'node:assert/strict';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { EXIT } from '../../../src/errors.js';
import { KEYS } from '../../../src/config/keys.js';
import { AgentHost, warnings } from '../../support/agentHost.js';
import { NEEDS_ROOT } from '../../support/dbus/authorizeHost.js';

const PRECIOUS = 'precious\n';

/** A file beside the host's own, and a link to it in place of one of samepaged's. */
function plant(host: AgentHost, path: string): string {
  const victim = join(host.tree.root, 'victim');
  writeFileSync(victim, PRECIOUS);
  mkdirSync(dirname(join(host.tree.root, path)), { recursive: true });
  symlinkSync(victim, join(host.tree.root, path));
  return victim;
}

describe('files that other users could have made', { concurrency: true }, () => {
  it('a state directory of somebody else is refused, and named', { skip: NEEDS_ROOT }, async () => {
    await using host = await AgentHost.create();
    host.memoryIsShort();
    const directory = dirname(host.ledgerFile);
    mkdirSync(directory, { recursive: true });
    chownSync(directory, 65_534, 65_534);
    const before = host.ksmFiles();
    const daemon = host.start();
    assert.equal(await daemon.exit(), EXIT.config);
    assert.match(
      daemon.output,
      /samepaged belongs to the user 65534, and samepaged runs as the user 0: start the service/,
    );
    assert.deepEqual(host.ksmFiles(), before);
  });

  it('a state directory that others can write to is refused', async () => {
    await using host = await AgentHost.create();
    const directory = dirname(host.ledgerFile);
    mkdirSync(directory, { recursive: true });
    chmodSync(directory, 0o777);
    const daemon = host.start();
    assert.equal(await daemon.exit(), EXIT.config);
    assert.match(daemon.output, /can be written by other users: chmod go-w /);
  });

  it('links in place of the ledger and the history are not followed', async () => {
    for (const name of ['ledger.json.new', 'hold.json.new', 'history.log.new', 'history.log']) {
      await using host = await AgentHost.create();
      host.memoryIsShort();
      const victim = plant(host, `var/lib/samepaged/${name}`);
      const daemon = await host.started();
      assert.equal(await daemon.end(), 0);
      assert.equal(readFileSync(victim, 'utf8'), PRECIOUS, name);
    }
  });

  it('a link in place of the PIDFILE or the LOGFILE is not followed, which one line says', async () => {
    await using host = await AgentHost.create();
    const victim = plant(host, KEYS.PIDFILE.fallback);
    const log = join(host.tree.root, 'log');
    symlinkSync(victim, log);
    host.configure({ LOGFILE: log });
    const daemon = await host.started();
    assert.equal(await daemon.end(), 0);
    assert.equal(readFileSync(victim, 'utf8'), PRECIOUS);
    const told = warnings(daemon).filter((text) => /PIDFILE|LOGFILE/.test(text));
    assert.equal(told.length, 2, daemon.output);
    for (const text of told) assert.match(text, /ELOOP/);
  });

  it('a PIDFILE that became a link to our own pid elsewhere is removed, and not what it leads to', async () => {
    await using host = await AgentHost.create();
    const daemon = await host.started();
    const file = join(host.tree.root, KEYS.PIDFILE.fallback);
    const elsewhere = join(host.tree.root, 'elsewhere');
    writeFileSync(elsewhere, readFileSync(file));
    unlinkSync(file);
    symlinkSync(elsewhere, file);
    assert.equal(await daemon.end(), 0);
    assert.deepEqual([existsSync(elsewhere), existsSync(file)], [true, false]);
  });

  it('a PIDFILE that holds another pid stays', async () => {
    await using host = await AgentHost.create();
    const daemon = await host.started();
    const file = join(host.tree.root, KEYS.PIDFILE.fallback);
    writeFileSync(file, '1\n');
    assert.equal(await daemon.end(), 0);
    assert.equal(readFileSync(file, 'utf8'), '1\n');
  });

  it('of a ledger only settings of KSM with values of theirs are given back', async () => {
    await using host = await AgentHost.create();
    host.memoryIsShort();
    const daemon = await host.started();
    await daemon.end('SIGKILL');
    interface Written {
      readonly found: object;
      readonly changed: readonly string[];
    }
    const written = JSON.parse(readFileSync(host.ledgerFile, 'utf8')) as Written;
    const evil = '../../../../victim';
    const found = { ...written.found, [evil]: 'evil', smartScan: 'evil', pagesToScan: 77, advisorMode: '/tmp/evil.so' };
    const changed = [...written.changed, evil, 'smartScan', 'advisorMode', 'constructor'];
    writeFileSync(host.ledgerFile, JSON.stringify({ ...written, found, changed }));
    rmSync(join(host.tree.root, 'victim'), { force: true });
    const next = await host.started();
    assert.equal(await next.end(), 0);
    assert.equal(host.tree.ksm('pages_to_scan'), '77');
    assert.equal(existsSync(join(host.tree.root, 'victim')), false);
    assert.doesNotMatch(next.output, /evil|undefined/);
  });

  it('a hold.json with words that samepaged does not write is ignored', async () => {
    await using host = await AgentHost.create();
    const policy = { name: 'adaptive', insteadOf: '/tmp/evil.so\n', bootId: '' };
    host.tree.write('var/lib/samepaged/hold.json', JSON.stringify({ policy }));
    const daemon = await host.started();
    assert.match(warnings(daemon).join('\n'), /hold\.json/);
    assert.doesNotMatch(daemon.lines.map(({ msg }) => msg).join('\n'), /policy adaptive, set by hand/);
  });
});
