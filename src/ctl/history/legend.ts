import { formatBytes } from '../../core/format.js';
import { label } from './axes.js';
import { mark } from './lanes.js';
import { LAYOUT } from './layout.js';
import type { History } from '../../core/history/series.js';
import { element, textWidth } from '../../text/svg.js';

const SWATCH = 14;
const GAP = 17;

interface Entry {
  readonly text: string;
  readonly draw: (x: number, y: number) => string;
}

const area = (line: string, fill: string) => (x: number, y: number) =>
  element('rect', { class: fill, x: x - 7, y: y - 4, width: SWATCH, height: 8 }) + stroke(line)(x, y - 4);
const stroke = (name: string) => (x: number, y: number) =>
  element('path', { class: name, d: `M${x - 7} ${y}h${SWATCH}` });
const bar = (name: string) => (x: number, y: number) =>
  element('rect', { class: name, x: x - 7, y: y - 4, width: SWATCH, height: 8 });
const bars: readonly (readonly [number, Entry])[] = [
  [1, { text: 'merging', draw: bar('merging') }],
  [2, { text: 'unmerged', draw: bar('unmerged') }],
];

/** What the colours and marks mean, with the latest figures; of the marks only those that there are. */
export function legend({ samples, guestEvents, decisions }: History): string {
  const last = samples.at(-1);
  const now = (bytes: number | undefined) => (bytes === undefined ? '' : ` ${formatBytes(bytes)}`);
  const changes = new Set(guestEvents.map(({ change }) => change));
  const marks = (['started', 'stopped', 'crashed', 'resized'] as const).filter((change) => changes.has(change));
  const entries: Entry[] = [
    { text: `saved${now(last?.savedBytes)}`, draw: area('saved-line', 'saved-area') },
    { text: `free${now(last?.freeBytes)}`, draw: stroke('free-line') },
    { text: 'ksmd, % of a core', draw: area('ksmd-line', 'ksmd-area') },
    ...marks.map((change, index): Entry => {
      return { text: index === 0 ? `guest ${change}` : change, draw: (x, y) => mark(change, x, y) };
    }),
    ...(decisions.length === 0 ? [] : [{ text: 'decision', draw: (x: number, y: number) => mark('decision', x, y) }]),
    ...bars.filter(([run]) => samples.some((sample) => sample.run === run)).map(([, entry]) => entry),
  ];
  let x: number = LAYOUT.left;
  const drawn = entries.map(({ text, draw }) => {
    const at = x;
    x += SWATCH + 5 + textWidth(text) + GAP;
    return draw(at + SWATCH / 2, LAYOUT.legend - 4) + label(text, at + SWATCH + 5, LAYOUT.legend, 'start');
  });
  return element('g', {}, ...drawn);
}
