// What the kernel's own tests of KSM do (tools/testing/selftests/mm/ksm_tests.c), beside samepaged.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { DaemonProcess } from '../support/daemon.js';
import { readKsm, resetKsm, restoreKsm, saveKsm } from '../support/kvm/ksm.js';
import { removeScratch, scratchDirectory } from '../support/scratch.js';
import { untilKsm } from './scene.js';

const KSM = '/sys/kernel/mm/ksm';
/** It fills and offers memory; under a name of its own it is no guest. */
const PROGRAM = 'test/support/kernels/kernelInit.c';
/** Of 4 KiB. */
const PAGES_PER_MIB = 256;

test('ksm_tests merge equal pages and take them apart while samepaged is paused, and samepaged takes none of the settings back', async () => {
  const saved = await saveKsm();
  const scratch = await scratchDirectory('selftests');
  try {
    await resetKsm();
    const program = join(scratch, 'selftest');
    await promisify(execFile)('gcc', ['-O2', '-static', '-o', program, PROGRAM]);
    const state = join(scratch, 'state');
    mkdirSync(state, { mode: 0o700 });
    writeFileSync(join(state, 'hold.json'), '{"kind":"paused"}\n');
    const config = join(scratch, 'samepaged.conf');
    writeFileSync(config, 'KSM_ON_CONFLICT=yield\nKSM_USE_ZERO_PAGES=keep\nPIDFILE=\nDEBUG=1\n');
    const before = await readKsm();
    const args = ['--config', config, '--bus', 'unix:path=/nonexistent/bus', '--libvirt', 'none'];
    await using daemon = DaemonProcess.start(args, { STATE_DIRECTORY: state });
    await daemon.line(/^start: paused by hand/);

    const equal = spawn(program, ['--', 'small', 'zero:1'], { stdio: ['ignore', 'pipe', 'inherit'] });
    try {
      await once(equal.stdout, 'data');
      for (const [most, shared] of [
        [256, 1],
        [10, Math.floor(PAGES_PER_MIB / 10) + 1],
      ] as const) {
        const settings = { run: 2, max_page_sharing: most, pages_to_scan: 100_000, sleep_millisecs: 0 };
        for (const [name, value] of Object.entries({ ...settings, use_zero_pages: 0 })) set(name, value);
        set('run', 1);
        daemon.child.kill('SIGUSR1');
        await untilKsm('pages_sharing', (pages) => pages === PAGES_PER_MIB - shared, daemon);
        const now = await readKsm();
        assert.equal(now['pages_shared'], String(shared));
        assert.deepEqual([now['run'], now['pages_to_scan'], now['sleep_millisecs']], ['1', '100000', '0']);
      }
      equal.kill('SIGUSR1');
      await untilKsm('pages_shared', (pages) => pages === 0, daemon);
      assert.equal((await readKsm())['pages_sharing'], '0', 'bytes changed in every page that was merged');
    } finally {
      equal.kill('SIGKILL');
      await once(equal, 'exit');
    }
    // As those tests end.
    set('run', 2);
    for (const name of ['max_page_sharing', 'pages_to_scan', 'sleep_millisecs', 'use_zero_pages', 'run']) {
      set(name, before[name] ?? '');
    }
    assert.equal(await daemon.end(), 0, daemon.output);
    const after = await readKsm();
    for (const name of Object.keys(saved.values)) assert.equal(after[name], before[name], name);
  } finally {
    await removeScratch(scratch);
    await restoreKsm(saved);
  }
});

function set(name: string, value: number | string): void {
  writeFileSync(`${KSM}/${name}`, String(value));
}
