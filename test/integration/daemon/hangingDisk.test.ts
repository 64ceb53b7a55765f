import assert from 'node:assert/strict';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { AgentHost, ended, retune } from '../../support/agentHost.js';
import type { DaemonProcess } from '../../support/daemon.js';
import { FUSE_OBSTACLE, FuseFile } from '../../support/fuseFile.js';

/** Does `work` while the disk of a directory hangs. */
async function whileItHangs(directory: string, work: () => Promise<void>): Promise<void> {
  const disk = await FuseFile.overDirectory(directory);
  try {
    await work();
  } finally {
    disk[Symbol.dispose]();
  }
}

async function expectEndInTime(daemon: DaemonProcess): Promise<void> {
  assert.equal(await daemon.end(), 'SIGKILL', daemon.output);
}

/** Hangs a file while samepaged runs, which says `told`, retunes, and at SIGTERM gives the host back. */
async function expectTuningWhileItHangs(host: AgentHost, path: string, told: RegExp): Promise<void> {
  host.memoryIsShort();
  const before = host.ksmFiles();
  const file = await FuseFile.over(path);
  const daemon = await host.started();
  try {
    await host.paceIs('1 300 10');
    file.hang();
    host.memoryIsEnough();
    await retune(daemon);
    assert.equal(host.pace, '0 300 10');
    await daemon.line(told);
    daemon.child.kill('SIGTERM');
    await host.paceIs('0 100 20');
    await daemon.line(/^KSM_ON_EXIT=restore: /);
  } finally {
    // The kernel lets a process that has the file open end no earlier.
    file[Symbol.dispose]();
  }
  assert.ok([0, 'SIGKILL'].includes((await ended(daemon)) ?? ''), daemon.output);
  assert.deepEqual(host.ksmFiles(), before);
}

describe('the disk of the LOGFILE hangs', { skip: FUSE_OBSTACLE }, () => {
  it('while the disk of the LOGFILE hangs its lines are lost, and SIGTERM gives the host back', async () => {
    await using host = await AgentHost.create();
    host.tree.write('log/ksmtuned', '');
    const path = join(host.tree.root, 'log/ksmtuned');
    host.configure({ LOGFILE: path });
    await expectTuningWhileItHangs(
      host,
      path,
      /LOGFILE \S+ cannot be written \(.* does not answer within 2 s\): going on without it/,
    );
  });
});

describe('the disk of the configuration hangs', { skip: FUSE_OBSTACLE, concurrency: true }, () => {
  it('while the disk of the configuration hangs a reload changes nothing, and SIGTERM gives the host back', async () => {
    await using host = await AgentHost.create({ bus: {} });
    const file = await FuseFile.over(host.configFile);
    const daemon = await host.started();
    const manager = await host.manager();
    file.hang();
    try {
      // The second is told at once: what hangs is not asked again.
      for (const answer of [/ does not answer within 4 s$/, / still does not answer$/]) {
        const { Taken, Problems } = await manager.command('Reload');
        assert.equal(Taken, false);
        assert.match(String(Problems), answer);
      }
      host.memoryIsShort();
      await retune(daemon);
      assert.equal(host.pace, '1 300 10');
      daemon.child.kill('SIGTERM');
      await host.paceIs('0 100 20');
    } finally {
      // The kernel lets a process that has the file open end no earlier.
      file[Symbol.dispose]();
    }
    assert.ok([0, 'SIGKILL'].includes((await ended(daemon)) ?? ''), daemon.output);
  });

  it('while the disk of the PIDFILE hangs samepaged says so, and SIGTERM gives the host back', async () => {
    await using host = await AgentHost.create();
    host.memoryIsShort();
    host.tree.write('pid/ksmtune.pid', '');
    host.configure({ PIDFILE: '/pid/ksmtune.pid' });
    await whileItHangs(join(host.tree.root, 'pid'), async () => {
      const daemon = await host.started();
      assert.equal(host.pace, '1 300 10');
      await daemon.line(/^PIDFILE \S+ksmtune\.pid: .* does not answer within 2 s/);
      await expectEndInTime(daemon);
      assert.equal(host.pace, '0 100 20');
    });
  });
});

describe('the disk of the state directory hangs', { skip: FUSE_OBSTACLE, concurrency: true }, () => {
  it('while the file of the history hangs tuning goes on, and SIGTERM gives the host back', async () => {
    await using host = await AgentHost.create();
    host.tree.write('var/lib/samepaged/history.log', '');
    await expectTuningWhileItHangs(
      host,
      join(dirname(host.ledgerFile), 'history.log'),
      /history\.log does not answer within 2 s\): the history is kept in memory only for now/,
    );
  });

  it('SIGTERM ends a samepaged that does not know yet that its state directory hangs', async () => {
    await using host = await AgentHost.create();
    host.memoryIsShort();
    const before = host.ksmFiles();
    const daemon = await host.started();
    await host.paceIs('1 300 10');
    await whileItHangs(dirname(host.ledgerFile), async () => {
      await expectEndInTime(daemon);
      assert.deepEqual(host.ksmFiles(), before);
    });
  });

  it('what the ledger cannot note while its disk hangs is not set', async () => {
    await using host = await AgentHost.create();
    host.memoryIsEnough();
    const before = host.ksmFiles();
    const daemon = await host.started();
    await whileItHangs(dirname(host.ledgerFile), async () => {
      host.memoryIsShort();
      await retune(daemon);
      await daemon.line(/ledger\.json cannot be written \(.*does not answer.*\): samepaged sets nothing/);
      assert.deepEqual(host.ksmFiles(), before);
      await expectEndInTime(daemon);
    });
  });

  it('a pause while the state directory hangs is in force, and is said to be lost after a restart', async () => {
    await using host = await AgentHost.create({ bus: {} });
    const daemon = await host.started();
    const manager = await host.manager();
    await whileItHangs(dirname(host.ledgerFile), async () => {
      await manager.command('Pause', 't', [0n]);
      assert.equal((await manager.properties())['Hold'], 'paused');
      await daemon.line(/hold\.json cannot be written \(.*does not answer.*\): after a restart this hold is lost/);
      await expectEndInTime(daemon);
    });
  });

  it('a state directory that hangs from the start on ends samepaged, which says so', async () => {
    await using host = await AgentHost.create();
    await (await host.started()).end();
    await whileItHangs(dirname(host.ledgerFile), async () => {
      const daemon = host.start();
      assert.ok([69, 'SIGKILL'].includes((await ended(daemon)) ?? ''), daemon.output);
      assert.match(daemon.other[0] ?? '', /var\/lib\/samepaged does not answer within 4 s/);
    });
  });
});
