import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { errnoOf } from '../errors.js';
import { COMMAND_TIMEOUT_MILLIS, type QemuMonitor, returnedBy } from './monitor.js';

/** A guest's monitor by way of virsh: libvirt-dbus has no method for it. */
export class VirshMonitor implements QemuMonitor {
  readonly taints = true;
  private readonly uri: string;
  private readonly uuid: string;

  /** @param uuid a name could be taken for a number of a running guest. */
  constructor(uri: string, uuid: string) {
    this.uri = uri;
    this.uuid = uuid;
  }

  async execute(command: string, args: Readonly<Record<string, unknown>> = {}): Promise<unknown> {
    return returnedBy(JSON.parse(await this.virsh(JSON.stringify({ execute: command, arguments: args }))));
  }

  [Symbol.dispose](): void {
    // Each command has a connection of its own.
  }

  private async virsh(json: string): Promise<string> {
    const words = ['--connect', this.uri, '--quiet', 'qemu-monitor-command', this.uuid, json];
    // In a session of its own, so that Ctrl-C does not end it before QEMU has answered.
    const child = spawn('virsh', words, {
      ...{ detached: true, stdio: ['ignore', 'pipe', 'pipe'], timeout: COMMAND_TIMEOUT_MILLIS },
      env: { ...process.env, LC_ALL: 'C' },
    });
    const ended = once(child, 'close') as Promise<[number | null]>;
    try {
      const [stdout, stderr, [status]] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
      if (status === 0) return stdout;
      const words = stderr
        .replaceAll(/^error: /gm, '')
        .trim()
        .replaceAll(/\s+/g, ' ');
      throw new Error(words === '' ? `virsh did not answer within ${COMMAND_TIMEOUT_MILLIS / 60_000} min` : words);
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error;
      throw new Error('virsh is not installed: install libvirt-clients', { cause: error });
    }
  }
}

/** The connection that an object of libvirt-dbus stands for; undefined where no QEMU is behind it. */
export function virshUri(object: string, bus: string): string | undefined {
  return object === '/org/libvirt/QEMU' ? `qemu:///${bus === 'session' ? 'session' : 'system'}` : undefined;
}
