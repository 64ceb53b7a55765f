import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readlinkSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { KEYS } from '../../../src/config/keys.js';
import { EXIT } from '../../../src/errors.js';
import { AgentHost, warnings } from '../../support/agentHost.js';
import { removeScratch, scratchDirectory } from '../../support/scratch.js';

const UNIT = 'deploy/systemd/samepaged.service';
const UNITS = [
  'samepaged.service',
  'samepaged-metrics.socket',
  'samepaged-textfile.service',
  'samepaged-textfile.timer',
];
/** Of systemd 254: an older one passes over them, and restarts at once until its start limit. */
const NEW_KEYS = /Unknown key (name )?'Restart(Steps|MaxDelaySec)' in section '?\[?Service/;

function valuesOf(key: string): string[] {
  const lines = readFileSync(UNIT, 'utf8').split('\n');
  return lines.filter((line) => line.startsWith(`${key}=`)).map((line) => line.slice(key.length + 1));
}

/** What systemd-analyze says of the units as they would be where samepaged is installed. */
async function analyze(
  units: readonly string[],
  ...words: readonly string[]
): Promise<{ status: number | null; complaints: string[] }> {
  const directory = await scratchDirectory('unit');
  try {
    for (const unit of UNITS) {
      const text = readFileSync(join('deploy/systemd', unit), 'utf8');
      const installed = text.replaceAll(/\/usr\/(bin\/samepage\w+|lib\/samepaged\/\w+)/g, process.execPath);
      writeFileSync(join(directory, unit), installed);
    }
    const files = units.map((unit) => join(directory, unit));
    const { status, stderr } = spawnSync('systemd-analyze', [...words, ...files], { encoding: 'utf8' });
    return { status, complaints: stderr.split('\n').filter((line) => line !== '' && !NEW_KEYS.test(line)) };
  } finally {
    await removeScratch(directory);
  }
}

describe('the units of systemd', { concurrency: true }, () => {
  it('systemd-analyze verify has nothing to say of the units', async () => {
    assert.deepEqual(await analyze(UNITS, 'verify', '--man=no'), { status: 0, complaints: [] });
  });

  it('systemd-analyze security of the unit finds an exposure of 1.3 or less', async () => {
    const { status, complaints } = await analyze(
      ['samepaged.service'],
      'security',
      '--offline=true',
      '--threshold=13',
      '--no-pager',
    );
    assert.deepEqual({ status, complaints }, { status: 0, complaints: [] });
  });

  it('the unit does not try again what cannot get better by itself', () => {
    const statuses = valuesOf('RestartPreventExitStatus').join(' ').split(' ').map(Number);
    assert.deepEqual(statuses, [EXIT.usage, EXIT.unavailable, EXIT.config]);
  });

  it('the unit has long to unmerge at its start, and a stop that hangs is over in 10 s', () => {
    assert.deepEqual(valuesOf('TimeoutStartSec'), ['5min']);
    assert.deepEqual(valuesOf('TimeoutStopSec'), ['10']);
    assert.match(valuesOf('ExecStopPost')[0] ?? '', /ledger\.json .* --give-back'$/);
  });

  it('the unit puts a link to the runtime directory where the default PIDFILE is; its end leaves the link', async () => {
    const [link = ''] = valuesOf('ExecStartPre').filter((command) => command.startsWith('+ln '));
    const [, , target = '', path = ''] = link.split(' ');
    assert.equal(path, KEYS.PIDFILE.fallback.replace('/var/run', '/run'));
    const [runtime = '', ...rest] = target.split('/');
    assert.deepEqual([[runtime], rest.length], [valuesOf('RuntimeDirectory'), 1]);

    await using host = await AgentHost.create();
    const file = join(host.tree.root, KEYS.PIDFILE.fallback);
    const directory = join(host.tree.root, 'var/run', runtime);
    mkdirSync(directory, { recursive: true });
    symlinkSync(target, file);
    const daemon = await host.started({ env: { RUNTIME_DIRECTORY: directory } });
    assert.equal(readFileSync(join(directory, ...rest), 'utf8'), `${String(daemon.pid)}\n`);
    assert.equal(await daemon.end(), 0);
    assert.deepEqual([readlinkSync(file), existsSync(file)], [target, false]);
    assert.doesNotMatch(warnings(daemon).join('\n'), /PIDFILE/);
  });
});
