export interface CpioEntry {
  readonly name: string;
  readonly mode: number;
  /** Of a device. */
  readonly major?: number;
  readonly minor?: number;
  /** Of a file. */
  readonly content?: Buffer;
}

export const DIRECTORY = 0o040755;
export const CHARACTER_DEVICE = 0o020600;
export const PROGRAM = 0o100755;
const NOTHING = Buffer.alloc(0);

/** An archive that the kernel unpacks as initramfs. A directory comes before what is in it. */
export function cpio(entries: readonly CpioEntry[]): Buffer {
  return Buffer.concat(
    [...entries, { name: 'TRAILER!!!', mode: 0 }].flatMap((entry, index) => parts(entry, index + 1)),
  );
}

/** https://docs.kernel.org/driver-api/early-userspace/buffer-format.html ("newc") */
function parts({ name, mode, major = 0, minor = 0, content = NOTHING }: CpioEntry, inode: number): readonly Buffer[] {
  const links = 1;
  const bytes = Buffer.byteLength(name) + 1;
  const numbers = [inode, mode, 0, 0, links, 0, content.length, 0, 0, major, minor, bytes, 0];
  const header = `070701${numbers.map((number) => number.toString(16).padStart(8, '0')).join('')}${name}\0`;
  return [...padded(Buffer.from(header)), ...padded(content)];
}

function padded(bytes: Buffer): readonly Buffer[] {
  return [bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4)];
}
