import assert from 'node:assert/strict';
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { configChanges } from '../../../src/config/watch.js';
import { eventually } from '../../support/daemon.js';
import { removeScratch, scratchDirectory } from '../../support/scratch.js';

const SETTLE_MILLIS = 50;

/** A directory with ksmtuned.conf and its drop-ins, and how many changes of them were announced. */
async function watched() {
  const directory = await scratchDirectory('watch');
  const file = join(directory, 'ksmtuned.conf');
  const dropIns = `${file}.d`;
  writeFileSync(file, '');
  let changes = 0;
  const blind: string[] = [];
  const subscription = configChanges(file, (why) => blind.push(why), SETTLE_MILLIS).subscribe({
    next: () => (changes += 1),
    error: (error: unknown) => blind.push(String(error)),
  });
  return {
    directory,
    file,
    dropIns,
    blind,
    /** Waits for one more announcement, and that there is no second. */
    async announces(change: () => void) {
      const before = changes;
      change();
      await eventually(() => changes > before);
      await sleep(4 * SETTLE_MILLIS);
      assert.equal(changes, before + 1);
    },
    async isSilentAbout(change: () => void) {
      const before = changes;
      change();
      await sleep(4 * SETTLE_MILLIS);
      assert.equal(changes, before);
    },
    async [Symbol.asyncDispose]() {
      subscription.unsubscribe();
      await removeScratch(directory);
    },
  };
}

describe('a change of the configuration files', { concurrency: true }, () => {
  it('a change of the configuration files is announced once, whether the file is written, replaced or removed', async () => {
    await using config = await watched();
    const { file } = config;
    await config.announces(() => {
      writeFileSync(file, 'DEBUG=');
      writeFileSync(file, 'DEBUG=1');
    });
    await config.announces(() => {
      writeFileSync(`${file}.new`, '');
      renameSync(`${file}.new`, file);
    });
    await config.announces(() => {
      writeFileSync(file, 'DEBUG=1');
    });
    await config.announces(() => {
      rmSync(file);
    });
  });

  it('a change of the configuration files is announced for drop-ins whose directory is made, emptied and replaced', async () => {
    await using config = await watched();
    const { dropIns } = config;
    await config.announces(() => {
      mkdirSync(dropIns);
    });
    const dropIn = join(dropIns, '50-site.conf');
    await config.announces(() => {
      writeFileSync(dropIn, 'DEBUG=1');
    });
    await config.announces(() => {
      rmSync(dropIns, { recursive: true });
      mkdirSync(dropIns);
    });
    await config.announces(() => {
      writeFileSync(dropIn, 'DEBUG=1');
    });
  });

  it('a change of the configuration files is announced when a kubelet brings a new ConfigMap', async () => {
    await using config = await watched();
    const { dropIns } = config;
    const bring = (version: string) => {
      mkdirSync(join(dropIns, version), { recursive: true });
      writeFileSync(join(dropIns, version, '50-site.conf'), 'DEBUG=1');
      symlinkSync(version, join(dropIns, '..data_tmp'));
      renameSync(join(dropIns, '..data_tmp'), join(dropIns, '..data'));
    };
    await config.announces(() => {
      bring('..2026_01_01');
      symlinkSync('..data/50-site.conf', join(dropIns, '50-site.conf'));
    });
    await config.announces(() => {
      bring('..2026_01_02');
      rmSync(join(dropIns, '..2026_01_01'), { recursive: true });
    });
  });

  it('a change of other files beside the configuration is not announced', async () => {
    await using config = await watched();
    await config.announces(() => {
      mkdirSync(config.dropIns);
    });
    await config.isSilentAbout(() => {
      writeFileSync(join(config.directory, 'passwd'), '');
      writeFileSync(join(config.dropIns, '.50-site.conf.swp'), '');
      writeFileSync(join(config.dropIns, 'README'), '');
    });
    assert.deepEqual(config.blind, []);
  });
});
