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
    const last = this.runs.at(-1);
    const to = this.length + pages;
    if (last !== undefined && this.equal(last.value, value)) this.runs[this.runs.length - 1] = { ...last, to };
    else this.runs.push({ from: this.length, to, value });
  }

  /** Gives every part between `from` and `to` the value that `change` makes of its own. */
  update(from: number, to: number, change: (value: T) => T): void {
    const first = this.indexAt(from);
    const touched = this.between(from, to);
    if (touched.length === 0) return;
    this.#version += 1;
    const before = this.runs[first];
    const after = this.runs[first + touched.length - 1];
    const pieces: Run<T>[] = [];
    if (before !== undefined && before.from < from) pieces.push({ ...before, to: from });
    for (const run of touched) pieces.push({ ...run, value: change(run.value) });
    if (after !== undefined && after.to > to) pieces.push({ ...after, from: to });
    // With its neighbours, which may now be equal.
    const start = Math.max(first - 1, 0);
    const end = Math.min(first + touched.length + 1, this.runs.length);
    const around = [...this.runs.slice(start, first), ...pieces, ...this.runs.slice(first + touched.length, end)];
    this.runs.splice(start, end - start, ...this.joined(around));
  }

  private joined(runs: readonly Run<T>[]): readonly Run<T>[] {
    const result: Run<T>[] = [];
    for (const run of runs) {
      const last = result.at(-1);
      if (last !== undefined && this.equal(last.value, run.value)) result[result.length - 1] = { ...last, to: run.to };
      else result.push(run);
    }
    return result;
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
