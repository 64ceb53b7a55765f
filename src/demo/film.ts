import { type Ink, type Line, widthOf } from '../text/cells.js';
import { element, escaped } from '../text/svg.js';

export interface FilmOptions {
  readonly columns: number;
  readonly rows: number;
  readonly title: string;
  /** How long each picture stays; the last for good. */
  readonly pictureSeconds: number;
}

/** A terminal's cell, in pixels: eighths of its height are whole, so that curves have sharp edges. */
const CELL = { width: 8, height: 16, baseline: 12 } as const;
const BAR_HEIGHT = 30;
const MARGIN = 12;

/** A terminal with a dark background of its own, readable on a light page and on a dark one. */
const COLOURS = {
  strong: '#ffffff;font-weight:700',
  good: '#5fd38d;font-weight:700',
  warning: '#f0c04f;font-weight:700',
  bad: '#ff7b78;font-weight:700',
  dim: '#8492a0',
  saved: '#3fcf9f',
  free: '#7db0ff',
  scan: '#c8a4f5',
  ksmd: '#f0a656',
} as const satisfies Readonly<Record<Ink, string>>;

/**
 * Pictures of a terminal as one SVG that moves by CSS alone: they lie below each other, and the strip is moved up by one
 * after the other. Where motion is not wanted or not known the last is shown.
 */
export function film(pictures: readonly (readonly Line[])[], options: FilmOptions): string {
  const { columns, rows, title, pictureSeconds } = options;
  const [width, height] = [columns * CELL.width, rows * CELL.height];
  const strip = new Strip();
  const drawn = pictures.map((lines, index) => strip.picture(lines, index * rows));
  const size = { width: width + 2 * MARGIN, height: height + BAR_HEIGHT + MARGIN };
  const lights = ['#ff5f57', '#febc2e', '#28c840'].map((fill, at) =>
    element('circle', { cx: 18 + at * 18, cy: 15, r: 5.5, fill }),
  );
  return `${element(
    'svg',
    { xmlns: 'http://www.w3.org/2000/svg', viewBox: `0 0 ${size.width} ${size.height}`, ...size, role: 'img' },
    element('title', {}, escaped(title)),
    element('style', {}, styleOf(pictures.length, height, pictureSeconds)),
    element('defs', {}, ...strip.lines()),
    element('rect', { x: 0.5, y: 0.5, width: size.width - 1, height: size.height - 1, rx: 8, class: 'window' }),
    ...lights,
    element('text', { x: size.width / 2, y: 19, class: 'name' }, escaped(title)),
    element(
      'svg',
      { x: MARGIN, y: BAR_HEIGHT, width, height, viewBox: `0 0 ${width} ${height}` },
      element('g', { class: 'film' }, ...drawn),
    ),
  )}\n`;
}

function styleOf(count: number, height: number, pictureSeconds: number): string {
  const steps = count - 1;
  const end = `transform:translateY(${-steps * height}px)`;
  return [
    '',
    'text{font:13.3px ui-monospace,SFMono-Regular,Menlo,"DejaVu Sans Mono","Liberation Mono","Cascadia Mono",Consolas,monospace;fill:#d3dae2}',
    'path{shape-rendering:crispEdges}',
    '.window{fill:#11161c;stroke:#3a444f}',
    '.name{fill:#8492a0;text-anchor:middle}',
    ...Object.entries(COLOURS).map(([name, colour]) => `.${name}{fill:${colour}}`),
    `.film{${end}}`,
    `@keyframes film{from{transform:translateY(0)}to{${end}}}`,
    `@media (prefers-reduced-motion:no-preference){.film{animation:film ${steps * pictureSeconds}s steps(${steps}) both}}`,
    '',
  ].join('\n');
}

/** The pictures' lines; those that are alike are drawn once. */
class Strip {
  private readonly ids = new Map<string, string>();

  picture(lines: readonly Line[], firstRow: number): string {
    return lines
      .map((line, row) => {
        const drawn = lineOf(line);
        if (drawn === '') return '';
        const id = this.ids.get(drawn) ?? `l${this.ids.size.toString(36)}`;
        this.ids.set(drawn, id);
        return element('use', { href: `#${id}`, y: (firstRow + row) * CELL.height });
      })
      .join('');
  }

  lines(): readonly string[] {
    return [...this.ids].map(([drawn, id]) => element('g', { id }, drawn));
  }
}

/** What stands together, without the blanks between columns: fonts differ in width, and a column is to begin where it does. */
const PARTS = /[▁-█_]*(?:[▁-█]|__)[▁-█_]*|[^▁-█\s]+(?: [^▁-█\s]+)*/gu;

function lineOf(line: Line): string {
  let column = 0;
  const drawn: string[] = [];
  for (const { text, ink } of line) {
    const look = ink === undefined ? {} : { class: ink };
    for (const { 0: part, index } of text.matchAll(PARTS)) {
      const x = (column + widthOf(text.slice(0, index))) * CELL.width;
      const block = /^_*[▁-█]|^__/u.test(part);
      drawn.push(
        block
          ? element('path', { ...look, d: blocks(part, x) })
          : element('text', { ...look, x, y: CELL.baseline }, escaped(part)),
      );
    }
    column += widthOf(text);
  }
  return drawn.join('');
}

/** Block elements as areas: in fonts they leave gaps. */
function blocks(text: string, x: number): string {
  return Array.from(text.matchAll(/(.)\1*/gu), ({ 0: same, 1: character = '', index }) => {
    const height = character === '_' ? 1 : ((character.charCodeAt(0) - '▁'.charCodeAt(0) + 1) * CELL.height) / 8;
    const width = same.length * CELL.width;
    return `M${x + index * CELL.width} ${CELL.height}v-${height}h${width}v${height}z`;
  }).join('');
}
