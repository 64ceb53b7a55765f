import { mkdir, rm } from 'node:fs/promises';
import { type GuestSpec, guestXml, writeBlob } from '../kvm/guest.js';
import type { Machine } from './machine.js';

const DIRECTORY = '/srv/guests';

/**
 * A guest of the machine's libvirt, paused and its memory filled when it resolves. It is transient, or has a definition that
 * lacks its memory's contents at the next start.
 */
export async function startMachineGuest(
  machine: Machine,
  spec: GuestSpec,
  { isPersistent = false } = {},
): Promise<void> {
  const [common, own, xml] = ['common', 'own', 'xml'].map((ending) => `${DIRECTORY}/${spec.name}.${ending}`) as [
    string,
    string,
    string,
  ];
  await mkdir(machine.path(DIRECTORY), { recursive: true });
  try {
    await writeBlob(machine.path(common), 'common', spec.commonMiB);
    await writeBlob(machine.path(own), `own ${spec.name}`, spec.ownMiB);
    await machine.write(xml, guestXml(spec, { common, own }));
    if (isPersistent) {
      await virsh(machine, 'define', xml);
      await virsh(machine, 'start', spec.name, '--paused');
    } else await virsh(machine, 'create', xml, '--paused');
  } finally {
    // The machine's disk is memory.
    for (const file of [common, own, xml]) await rm(machine.path(file), { force: true });
  }
}

/** virsh's stdout; rejects with all that it wrote. */
export function virsh(machine: Machine, ...args: readonly string[]): Promise<string> {
  return machine.run('virsh', '--connect', 'qemu:///system', '--quiet', ...args);
}
