import uPlot from 'uplot';
import type { Happening } from '../../core/history/happenings.js';
import { LOCALE } from '../text.js';

export interface PlotSpec {
  readonly label: string;
  readonly values: readonly (number | null)[];
  /** A value as the axis shows it. */
  readonly format: (value: number) => string;
  /** Steps of the axis are powers of this. */
  readonly isBinary: boolean;
  /** A custom property of the style sheet. */
  readonly colour: string;
}

export interface PlotOptions {
  readonly spec: PlotSpec;
  /** Seconds since 1970. */
  readonly times: readonly number[];
  readonly fromMillis: number;
  readonly toMillis: number;
  readonly happenings: readonly Happening[];
  /** The moment under the pointer in milliseconds, and how long so many pixels are; undefined outside. */
  readonly onHover: (at: { readonly atMillis: number; readonly pixelMillis: number } | undefined) => void;
}

const HEIGHT = 150;
/** Curves with the same key have one pointer. */
const SYNC_KEY = 'samepaged';

/** Draws a curve into an element with uPlot, and gives what removes it. */
export function plot(element: HTMLElement, options: PlotOptions): uPlot {
  const { spec, times, fromMillis, toMillis } = options;
  const style = getComputedStyle(element);
  const colour = (name: string) => style.getPropertyValue(name).trim();
  const text = colour('--pf-t--global--text--color--subtle');
  const grid = colour('--pf-t--global--border--color--subtle');
  const axis = { stroke: text, grid: { stroke: grid, width: 1 }, ticks: { stroke: grid, width: 1 }, font: font(style) };
  return new uPlot(
    {
      width: element.clientWidth,
      height: HEIGHT,
      legend: { show: false },
      cursor: { sync: { key: SYNC_KEY }, y: false, drag: { x: false, y: false }, points: { size: 6 } },
      scales: {
        x: { range: [fromMillis / 1000, toMillis / 1000] },
        y: { range: (_self, _least, most) => [0, Math.max(most, 0) * 1.1 || 1] },
      },
      axes: [
        { ...axis, size: 28, values: timeLabels(toMillis - fromMillis) },
        { ...axis, size: 72, splits: valueSplits(spec.isBinary), values: (_self, splits) => splits.map(spec.format) },
      ],
      series: [
        {},
        {
          label: spec.label,
          stroke: colour(spec.colour),
          width: 1.5,
          fill: `${colour(spec.colour)}22`,
          points: { show: false },
        },
      ],
      hooks: {
        draw: [marks(options, colour)],
        setCursor: [
          (self) => {
            const { left = -1 } = self.cursor;
            if (left < 0) options.onHover(undefined);
            else {
              const pixelMillis = (toMillis - fromMillis) / self.over.clientWidth;
              options.onHover({ atMillis: self.posToVal(left, 'x') * 1000, pixelMillis });
            }
          },
        ],
      },
    },
    [times, spec.values] as unknown as uPlot.AlignedData,
    element,
  );
}

function font({ fontFamily }: CSSStyleDeclaration): string {
  return `12px ${fontFamily}`;
}

/** Ticks below the curve for guests that started (up) and ended (down), and above it for decisions. */
function marks({ happenings, fromMillis }: PlotOptions, colour: (name: string) => string): (self: uPlot) => void {
  return (self) => {
    const { ctx, bbox } = self;
    const length = 7 * devicePixelRatio;
    const drawn = new Set<string>();
    ctx.save();
    ctx.lineWidth = 2 * devicePixelRatio;
    for (const happening of happenings) {
      if (happening.atMillis < fromMillis) continue;
      const x = Math.round(self.valToPos(happening.atMillis / 1000, 'x', true));
      const isEnd = happening.kind === 'guests' && (happening.change === 'stopped' || happening.change === 'crashed');
      const name = happening.kind === 'decision' ? '--mark-decision' : isEnd ? '--mark-stopped' : '--mark-started';
      const key = `${name} ${Math.trunc(x / ctx.lineWidth)}`;
      if (drawn.has(key)) continue;
      drawn.add(key);
      const y = happening.kind === 'decision' ? bbox.top : bbox.top + bbox.height - (isEnd ? length : 2 * length);
      ctx.strokeStyle = colour(name);
      ctx.beginPath();
      ctx.moveTo(x, y);
      ctx.lineTo(x, y + length);
      ctx.stroke();
    }
    ctx.restore();
  };
}

const DAY_MILLIS = 86_400_000;

function timeLabels(spanMillis: number) {
  const format =
    spanMillis > DAY_MILLIS
      ? new Intl.DateTimeFormat(LOCALE, { month: 'short', day: 'numeric' })
      : new Intl.DateTimeFormat(LOCALE, { hour: 'numeric', minute: '2-digit' });
  let last = '';
  return (_self: uPlot, splits: readonly number[]) =>
    splits.map((seconds) => {
      const label = format.format(seconds * 1000);
      const isSame = label === last;
      last = label;
      return isSame ? '' : label;
    });
}

/** Three or four round steps: of binary units for sizes. */
function valueSplits(isBinary: boolean) {
  return (_self: uPlot, _axis: number, least: number, most: number): number[] => {
    const base = isBinary ? 2 : 10;
    let step = base ** Math.floor(Math.log(most / 3) / Math.log(base));
    while (most / step > 4) step *= 2;
    return Array.from({ length: Math.floor(most / step) + 1 }, (_each, index) => least + index * step);
  };
}
