import * as v from 'valibot';
import { type FreedBySplits, freedBySplitsOf } from '../core/freedBySplits.js';
import { type Root, isAbsence, readTextIfThere } from '../host/sysfs.js';
import { readPlain } from '../plainFile.js';
import { STATE_FILES } from './directory.js';
import { inTurn } from './inTurn.js';
import { replaceFile } from './replaceFile.js';

/** Each guest takes some 250 bytes. A host with more guests keeps those of which most was freed. */
const MOST_GUESTS = 2000;
const LARGEST_BYTES = 1024 ** 2;

const Count = v.pipe(v.number(), v.finite());
const Size = v.pipe(Count, v.minValue(0));
const Guest = v.object({
  /** The guest's identity. */
  id: v.string(),
  process: v.string(),
  anonBytes: Size,
  swapBytes: Size,
  /** Some kernels count zero pages below 0. */
  zeroBytes: Count,
  balloonBytes: v.optional(Size),
  freedBytes: Size,
  returnedBytes: Size,
});
const Entry = v.object({
  version: v.literal(1),
  /** The counters of another boot say nothing here. */
  bootId: v.string(),
  splitBytes: v.optional(Count),
  zeroBytes: Count,
  splitCreditBytes: Size,
  guests: v.pipe(v.array(Guest), v.maxLength(MOST_GUESTS)),
});

/**
 * Keeps what splits of huge pages freed over restarts of samepaged, while the guests live on.
 *
 * The file is of one moment, and the next retune books what became of the guests since then, whether samepaged ran or not. So
 * an old file does no harm, and need not be written at the end.
 */
export class FreedBySplitsFile {
  readonly path: string;
  private readonly bootId: string;

  constructor(directory: string, root: Root) {
    this.path = `${directory}/${STATE_FILES.freed}`;
    this.bootId = readTextIfThere(`${root}/proc/sys/kernel/random/boot_id`) ?? '';
  }

  /** Undefined where there is none of this boot. @throws Error when the file cannot be read or understood. */
  read(): FreedBySplits | undefined {
    const text = this.readText();
    if (text === undefined) return undefined;
    const { bootId, guests, splitBytes, zeroBytes, splitCreditBytes } = v.parse(Entry, JSON.parse(text));
    if (bootId !== this.bootId) return undefined;
    const accounts = guests.flatMap(({ id, freedBytes, returnedBytes }) =>
      freedBytes + returnedBytes === 0 ? [] : [[id, { freedBytes, returnedBytes }] as const],
    );
    const memory = guests.map(({ id, process, anonBytes, swapBytes, zeroBytes, balloonBytes }) => {
      return [id, { process, anonBytes, swapBytes, zeroBytes, balloonBytes }] as const;
    });
    const reading = { guests: new Map(memory), splitBytes, zeroBytes };
    return freedBySplitsOf({ accounts: new Map(accounts), reading, splitCreditBytes });
  }

  /** @throws Error with its errno, or Overdue. */
  async write({ accounts, reading, splitCreditBytes }: FreedBySplits): Promise<void> {
    const { splitBytes, zeroBytes } = reading;
    const guests = [...reading.guests]
      .map(([id, memory]) => ({ id, ...memory, ...(accounts.get(id) ?? { freedBytes: 0, returnedBytes: 0 }) }))
      .sort((a, b) => b.freedBytes - a.freedBytes)
      .slice(0, MOST_GUESTS);
    const entry: v.InferOutput<typeof Entry> = {
      version: 1,
      bootId: this.bootId,
      ...(splitBytes === undefined ? {} : { splitBytes }),
      zeroBytes,
      splitCreditBytes,
      guests: guests.map(({ balloonBytes, ...guest }) =>
        balloonBytes === undefined ? guest : { ...guest, balloonBytes },
      ),
    };
    await inTurn(this.path, () => replaceFile(this.path, `${JSON.stringify(entry)}\n`));
  }

  private readText(): string | undefined {
    try {
      return readPlain(this.path, LARGEST_BYTES).toString('utf8');
    } catch (error) {
      if (isAbsence(error)) return undefined;
      throw error;
    }
  }
}
