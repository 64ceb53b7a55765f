/** Numbers from 0 to below `limit`, always the same for the same seed. */
export type Random = (limit: number) => number;

/** The MINSTD generator. */
export function randomFrom(seed: number): Random {
  let state = (seed % 2147483646) + 1;
  return (limit) => {
    state = (state * 48271) % 2147483647;
    return state % limit;
  };
}

/** Writes values as the D-Bus specification marshals them, in either byte order. */
export class Wire {
  private readonly bytes: number[] = [];
  private readonly bigEndian: boolean;

  constructor(bigEndian: boolean) {
    this.bigEndian = bigEndian;
  }

  get buffer(): Buffer {
    return Buffer.from(this.bytes);
  }

  align(to: number): void {
    while (this.bytes.length % to !== 0) this.bytes.push(0);
  }

  /** An unsigned number of 1, 2, 4 or 8 bytes. */
  number(value: number, size: number): void {
    this.align(size);
    this.bytes.push(...this.encoded(value, size));
  }

  string(text: string): void {
    this.number(Buffer.byteLength(text), 4);
    this.bytes.push(...Buffer.from(text), 0);
  }

  signature(text: string): void {
    this.bytes.push(text.length, ...Buffer.from(text), 0);
  }

  array(elementAlignment: number, write: () => void): void {
    this.number(0, 4);
    const lengthAt = this.bytes.length - 4;
    this.align(elementAlignment);
    const start = this.bytes.length;
    write();
    this.bytes.splice(lengthAt, 4, ...this.encoded(this.bytes.length - start, 4));
  }

  private encoded(value: number, size: number): number[] {
    const bytes = Array.from({ length: size }, (_, index) => (index < 4 ? (value >>> (8 * index)) & 255 : 0));
    return this.bigEndian ? bytes.reverse() : bytes;
  }
}

interface WireType {
  readonly signature: string;
  readonly alignment: number;
  readonly write: (wire: Wire, random: Random) => void;
}

const WORDS = [
  '',
  'a',
  'paused',
  '__proto__',
  'constructor',
  'org.samepaged1.Manager',
  'Run',
  'ü\u{1f600}',
  'x'.repeat(300),
];
const PATHS = ['/', '/org', '/org/samepaged1', '/org/samepaged1/constructor', `/${'a/'.repeat(200)}b`];
const SIZES: Readonly<Record<string, number>> = { y: 1, n: 2, q: 2, i: 4, u: 4, x: 8, t: 8, d: 8 };

function basic(signature: string): WireType {
  const alignment = SIZES[signature] ?? (signature === 'g' ? 1 : 4);
  const write = (wire: Wire, random: Random) => {
    if (signature === 's') wire.string(pick(random, WORDS));
    else if (signature === 'o') wire.string(pick(random, PATHS));
    else if (signature === 'g') wire.signature(pick(random, ['', 'a{sv}', 'h', '(((y)))', 'aaaaaay']));
    else if (signature === 'b') wire.number(random(2), 4);
    // There is no such file descriptor.
    else if (signature === 'h') wire.number(random(3), 4);
    else wire.number(random(0x7fffffff), alignment);
  };
  return { signature, alignment, write };
}

const BASIC = Array.from('ybnqiuxtdsogh', basic);

export function pick<T>(random: Random, from: readonly T[]): T {
  return from[random(from.length)] as T;
}

/** Of any type that there is, in which others are at most `depth` deep. */
export function randomType(random: Random, depth: number): WireType {
  const inner = () => randomType(random, depth - 1);
  const kind = random(depth > 0 ? 10 : 5);
  if (kind < 5) return pick(random, BASIC);
  if (kind === 5) return variantOf(random, inner());
  if (kind === 6) return arrayOf(random, inner());
  const [first, second] = [kind === 7 ? pick(random, BASIC) : inner(), inner()];
  const pair: WireType = {
    signature: first.signature + second.signature,
    alignment: 8,
    write: (wire) => {
      wire.align(8);
      first.write(wire, random);
      second.write(wire, random);
    },
  };
  if (kind === 7) return arrayOf(random, { ...pair, signature: `{${pair.signature}}` });
  return { ...pair, signature: `(${pair.signature})` };
}

function arrayOf(random: Random, element: WireType): WireType {
  const write = (wire: Wire) => {
    wire.array(element.alignment, () => {
      for (let left = random(4); left > 0; left -= 1) element.write(wire, random);
    });
  };
  return { signature: `a${element.signature}`, alignment: 4, write };
}

function variantOf(random: Random, type: WireType): WireType {
  const write = (wire: Wire) => {
    wire.signature(type.signature);
    type.write(wire, random);
  };
  return { signature: 'v', alignment: 1, write };
}
