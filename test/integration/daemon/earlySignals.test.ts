import assert from 'node:assert/strict';
import { readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { constants } from 'node:os';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { AgentHost } from '../../support/agentHost.js';
import { DaemonProcess, eventually } from '../../support/daemon.js';
import { DAEMON } from '../../support/programs.js';

/** Node's debugger takes any free port: others may have the usual one. */
const ANY_PORT = { NODE_OPTIONS: '--inspect-port=0', STATE_DIRECTORY: undefined, JOURNAL_STREAM: undefined };

/** Whether the process would not die of the signal: Node has a handler for it, or samepaged. */
function catches(pid: number, signal: NodeJS.Signals): boolean {
  const caught = /^SigCgt:\s*([\da-f]+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? '0';
  return (BigInt(`0x${caught}`) & (1n << BigInt(constants.signals[signal] - 1))) !== 0n;
}

/** The local addresses on which a process waits for connections by TCP. */
function listening(pid: number): readonly string[] {
  const descriptors = readdirSync(`/proc/${pid}/fd`).map((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`));
  const sockets = new Set(descriptors.map((target) => /^socket:\[(\d+)\]$/.exec(target)?.[1]));
  const lines = readFileSync(`/proc/${pid}/net/tcp`, 'utf8').trim().split('\n').slice(1);
  const rows = lines.map((line) => line.trim().split(/\s+/));
  return rows.filter(([, , , state, , , , , , inode]) => state === '0A' && sockets.has(inode)).map(([, at = '']) => at);
}

describe('signals at start', { concurrency: true }, () => {
  it('SIGUSR1 before samepaged is loaded leaves no debugger open, and retunes', async () => {
    await using host = await AgentHost.create();
    await using daemon = DaemonProcess.start(host.args(), ANY_PORT);
    await eventually(() => catches(daemon.pid, 'SIGUSR1'));
    // From Node's own handler to samepaged's.
    for (let sent = 0; sent < 100; sent += 1) {
      daemon.child.kill('SIGUSR1');
      await sleep(5);
    }
    await daemon.line(/asked for by SIGUSR1/);
    assert.deepEqual(listening(daemon.pid), []);
    assert.equal(await daemon.end(), 0);
  });

  for (const signal of ['SIGTERM', 'SIGHUP'] as const) {
    it(`${signal} while samepaged is loaded is acted on, once it is`, async () => {
      await using host = await AgentHost.create();
      await using daemon = DaemonProcess.start(host.args(), ANY_PORT);
      // Node has no handler of its own of this one.
      await eventually(() => catches(daemon.pid, 'SIGHUP'));
      daemon.child.kill(signal);
      await daemon.line(signal === 'SIGTERM' ? /^SIGTERM: stopping/ : /SIGHUP|reload/i);
      assert.equal(await daemon.end(), 0);
    });
  }

  it('the first module of samepaged imports nothing before its handlers are set', () => {
    assert.doesNotMatch(readFileSync(DAEMON, 'utf8'), /^import /m);
  });
});
