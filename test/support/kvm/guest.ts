import { createCipheriv, createHash } from 'node:crypto';
import { open } from 'node:fs/promises';

const MIB = 1024 * 1024;
/** Below this SeaBIOS works, above the blobs it keeps its tables. */
const FIRMWARE_MIB = 16;
/** The pc machine has one piece of memory up to here; the loader needs one piece. */
const MAX_MIB = 3 * 1024;

export interface GuestSpec {
  readonly name: string;
  /** Pages that every guest with the same number here has too; a smaller number gives a prefix of a larger. */
  readonly commonMiB: number;
  /** Pages that no guest of another name has. */
  readonly ownMiB: number;
  /** `<nosharepages/>`: QEMU then does not offer its memory to KSM. */
  readonly noSharePages?: boolean;
  /** Starts it paused, its memory filled. Otherwise the firmware spins, on one whole core. Default true. */
  readonly suspend?: boolean;
}

/** Derived from the name, so that everybody knows a guest's object path without asking. */
export function guestUuid(name: string): string {
  const hex = createHash('sha256').update(name).digest('hex');
  return hex.replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12}).*$/, '$1-$2-4$3-8$4-$5');
}

/** The object path libvirt-dbus gives a domain. */
export function domainPath(driver: 'QEMU' | 'Test', name: string): string {
  return `/org/libvirt/${driver}/domain/_${guestUuid(name).replaceAll('-', '_')}`;
}

/** What `<memory>` says, and with it balloon.current and balloon.maximum. */
export function guestMiB(spec: GuestSpec): number {
  return FIRMWARE_MIB + spec.commonMiB + spec.ownMiB + FIRMWARE_MIB;
}

/** Pseudo-random: the same for the same seed, no page like another, nothing to compress. */
export async function writeBlob(file: string, seed: string, mebibytes: number): Promise<void> {
  const key = createHash('sha256').update(seed).digest().subarray(0, 16);
  const stream = createCipheriv('aes-128-ctr', key, Buffer.alloc(16));
  const zeros = Buffer.alloc(MIB);
  await using handle = await open(file, 'w', 0o644);
  for (let written = 0; written < mebibytes; written++) await handle.writeFile(stream.update(zeros));
}

/**
 * A TCG guest without disk or kernel. QEMU's loader device copies the blobs into guest memory at reset, before the first
 * instruction; QEMU keeps a copy of its own that KSM is not offered, so its resident set is about twice the blobs.
 */
export function guestXml(spec: GuestSpec, blobs: { readonly common: string; readonly own: string }): string {
  if (guestMiB(spec) > MAX_MIB) throw new RangeError(`${spec.name}: ${guestMiB(spec)} MiB, more than ${MAX_MIB}`);
  const loaders = [
    { file: blobs.common, at: FIRMWARE_MIB, size: spec.commonMiB },
    { file: blobs.own, at: FIRMWARE_MIB + spec.commonMiB, size: spec.ownMiB },
  ]
    .filter(({ size }) => size > 0)
    .map(({ file, at }) => `loader,file=${file},addr=0x${(at * MIB).toString(16)},force-raw=on`)
    .map((device) => `<qemu:arg value='-device'/><qemu:arg value='${device}'/>`);
  return `<domain type='qemu' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>
  <name>${spec.name}</name>
  <uuid>${guestUuid(spec.name)}</uuid>
  <memory unit='MiB'>${guestMiB(spec)}</memory>
  ${spec.noSharePages === true ? '<memoryBacking><nosharepages/></memoryBacking>' : ''}
  <os><type arch='x86_64' machine='pc'>hvm</type></os>
  <devices>
    <emulator>/usr/bin/qemu-system-x86_64</emulator>
    <controller type='usb' model='none'/>
    <memballoon model='virtio'/>
  </devices>
  <qemu:commandline>${loaders.join('')}</qemu:commandline>
</domain>
`;
}
