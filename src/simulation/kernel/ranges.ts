/** `value` of everything from `from` (included) to `to` (not included). */
export interface Run<T> {
  readonly from: number;
  readonly to: number;
  readonly value: T;
}

/**
 * Values along a line of pages that begins at 0, kept as runs of equal ones: millions of pages are a few objects.
 *
 * INVARIANTS: the runs are in order, none is empty, there is no gap, and neighbours differ.
 */
export class Ranges<T> {
  /** How often it changed. It is no part of what it holds, so it is hidden from whoever compares two. */
  #version = 0;
  private runs: Run<T>[] = [];
  private readonly equal: (a: T, b: T) => boolean;

  constructor(equal: (a: T, b: T) => boolean) {
    this.equal = equal;
  }

  /** Rises with every change: what was counted of the runs is true for as long as it is the same. */
  get version(): number {
    return this.#version;
  }

  get length(): number {
    return this.runs.at(-1)?.to ?? 0;
  }

  /** The run at `position`; undefined behind the end. */
  at(position: number): Run<T> | undefined {
    return this.runs[this.indexAt(position)];
  }

  /** The parts of the runs that lie between `from` and `to`, in order. */
  between(from: number, to: number): readonly Run<T>[] {
    if (to <= from) return [];
    const found: Run<T>[] = [];
    for (let index = this.indexAt(from); index < this.runs.length; index += 1) {
      const run = this.runs[index];
      if (run === undefined || run.from >= to) break;
      found.push({ from: Math.max(run.from, from), to: Math.min(run.to, to), value: run.value });
    }
    return found;
  }

  all(): readonly Run<T>[] {
    return this.runs;
  }

  /** Makes the line longer by `pages` of `value`. */
  append(pages: number, value: T): void {
    if (pages <= 0) return;
    this.#version += 1;
    this.join(this.runs, this.length, this.length + pages, value);
  }

  /** Gives every part between `from` and `to` the value that `change` makes of its own. */
  update(from: number, to: number, change: (value: T) => T): void {
    if (to <= from || from >= this.length) return;
    this.#version += 1;
    // With the neighbours, which may be equal to what comes of it.
    const start = Math.max(this.indexAt(from) - 1, 0);
    const pieces: Run<T>[] = [];
    let end = start;
    for (let run = this.runs[end]; run !== undefined && run.from <= to; run = this.runs[end]) {
      const [begin, finish] = [Math.max(run.from, from), Math.min(run.to, to)];
      if (begin >= finish) this.join(pieces, run.from, run.to, run.value);
      else {
        this.join(pieces, run.from, begin, run.value);
        this.join(pieces, begin, finish, change(run.value));
        this.join(pieces, finish, run.to, run.value);
      }
      end += 1;
    }
    this.runs.splice(start, end - start, ...pieces);
  }

  /** Makes runs longer by one of `value`, which may be empty, or equal to the last. */
  private join(runs: Run<T>[], from: number, to: number, value: T): void {
    if (from >= to) return;
    const last = runs.at(-1);
    if (last !== undefined && this.equal(last.value, value))
      runs[runs.length - 1] = { from: last.from, to, value: last.value };
    else runs.push({ from, to, value });
  }

  private indexAt(position: number): number {
    let [low, high] = [0, this.runs.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.runs[middle]?.to ?? 0) <= position) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
