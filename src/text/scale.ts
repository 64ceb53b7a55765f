/** From values to pixels along one axis. */
export interface Scale {
  readonly pixel: (value: number) => number;
  readonly ticks: readonly { readonly value: number; readonly label: string }[];
}

const UNITS = [
  ['MiB', 1024 ** 2],
  ['GiB', 1024 ** 3],
  ['TiB', 1024 ** 4],
  ['PiB', 1024 ** 5],
] as const;
/** How a thousand is divided into steps that a reader takes in at a glance. */
const STEPS = [1, 2, 5, 10, 20, 50, 100, 200, 500];

/** Where 0 is, and where the last tick is, in pixels. */
interface Panel {
  readonly bottom: number;
  readonly top: number;
}

/** Never for less than a MiB. */
export function memoryScale(mostBytes: number, { bottom, top }: Panel): Scale {
  const [unit, unitBytes] = UNITS.findLast(([, bytes]) => mostBytes >= bytes) ?? UNITS[0];
  const most = Math.max(mostBytes / unitBytes, 1);
  const step = most <= 1.2 ? 0.5 : (STEPS.find((candidate) => most / candidate <= 5) ?? 500);
  const count = Math.max(Math.ceil(most / step), 1);
  const ticks = Array.from({ length: count + 1 }, (_, index) => {
    const value = index * step;
    return { value: value * unitBytes, label: index === 0 ? '0' : `${value} ${unit}` };
  });
  return { ticks, pixel: linear([0, count * step * unitBytes], [bottom, top]) };
}

export function percentScale(mostPercent: number, { bottom, top }: Panel): Scale {
  const most = [1, 2, 5, 10, 20, 50].find((candidate) => mostPercent <= candidate) ?? 100;
  const ticks = [0, most / 2, most].map((value) => ({ value, label: `${value} %` }));
  const pixel = linear([0, most], [bottom, top]);
  return { ticks, pixel: (value) => pixel(Math.min(value, most)) };
}

export function linear([low, high]: readonly [number, number], [from, to]: readonly [number, number]) {
  const factor = high === low ? 0 : (to - from) / (high - low);
  return (value: number): number => from + (value - low) * factor;
}
