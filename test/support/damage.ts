// Files as disks, crashes and hands leave them.
import fc from 'fast-check';

/** What happens to a stretch of bytes. */
type Blow = (bytes: Buffer) => Buffer;

/** Where, as a share of the whole, so that a blow fits bytes of any length. */
const place = fc.double({ min: 0, max: 1, noNaN: true });
const at = (share: number, bytes: Buffer) => Math.min(Math.floor(share * bytes.length), bytes.length);

/**
 * @param words what is likely to hurt the reader.
 */
export function damages(words: readonly string[]): fc.Arbitrary<Blow> {
  const span = fc.tuple(place, place);
  const blow: fc.Arbitrary<Blow> = fc.oneof(
    place.map((share) => (bytes: Buffer) => bytes.subarray(0, at(share, bytes))),
    span.map(
      ([from, to]) =>
        (bytes: Buffer) =>
          spliced(bytes, at(from, bytes), at(to, bytes), Buffer.alloc(0)),
    ),
    span.map(([from, to]) => (bytes: Buffer) => {
      return spliced(bytes, at(to, bytes), at(to, bytes), bytes.subarray(at(from, bytes), at(from, bytes) + 300));
    }),
    fc.tuple(place, fc.integer({ min: 0, max: 255 })).map(([share, value]) => (bytes: Buffer) => {
      const changed = Buffer.from(bytes);
      if (bytes.length > 0) changed[Math.min(at(share, bytes), bytes.length - 1)] = value;
      return changed;
    }),
    fc.tuple(place, place, fc.constantFrom(...words)).map(([from, long, word]) => (bytes: Buffer) => {
      const begin = at(from, bytes);
      return spliced(bytes, begin, begin + Math.floor(long * word.length), Buffer.from(word));
    }),
    fc.tuple(place, fc.uint8Array({ maxLength: 40 })).map(([share, noise]) => (bytes: Buffer) => {
      return spliced(bytes, at(share, bytes), at(share, bytes), Buffer.from(noise));
    }),
    // A crash of the machine leaves blocks of zeros.
    span.map(
      ([from, to]) =>
        (bytes: Buffer) =>
          Buffer.from(bytes).fill(0, ...ordered(at(from, bytes), at(to, bytes))),
    ),
  );
  return fc
    .array(blow, { minLength: 1, maxLength: 4 })
    .map((blows) => (bytes: Buffer) => blows.reduce((damaged, each) => each(damaged), bytes));
}

function spliced(bytes: Buffer, from: number, to: number, put: Buffer): Buffer {
  const [begin, end] = ordered(from, to);
  return Buffer.concat([bytes.subarray(0, begin), put, bytes.subarray(end)]);
}

function ordered(a: number, b: number): [number, number] {
  return a < b ? [a, b] : [b, a];
}
