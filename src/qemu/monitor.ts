/** QEMU's monitor of one running guest. https://www.qemu.org/docs/master/interop/qemu-qmp-ref.html */
export interface QemuMonitor extends Disposable {
  /** Whether libvirt marks the guest as tainted (custom-monitor) when its monitor is used. */
  readonly taints: boolean;

  /**
   * Gives what the command returned.
   *
   * @throws Error with QEMU's own words where it refuses.
   */
  execute(command: string, args?: Readonly<Record<string, unknown>>): Promise<unknown>;
}

/** Unmerging takes QEMU seconds for gigabytes, and it answers nothing meanwhile. */
export const COMMAND_TIMEOUT_MILLIS = 600_000;

/** What a reply returned. @throws Error with QEMU's own words where it is an error. */
export function returnedBy(reply: unknown): unknown {
  if (typeof reply === 'object' && reply !== null) {
    if ('return' in reply) return reply.return;
    if ('error' in reply) throw new Error(`QEMU refuses: ${descriptionOf(reply.error)}`);
  }
  throw new Error(`QEMU's answer is not understood: ${JSON.stringify(reply).slice(0, 80)}`);
}

function descriptionOf(error: unknown): string {
  const reason = typeof error === 'object' && error !== null && 'desc' in error ? error.desc : error;
  return typeof reason === 'string' ? reason : JSON.stringify(reason);
}
