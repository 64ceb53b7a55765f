import { formatBytes } from '../core/format.js';
import { type Line, beside, clip, ends } from '../text/cells.js';
import { frame } from '../ctl/watch/frame.js';
import { type FrameSize } from '../text/screen.js';
import { MORNING_CHAPTERS, MORNING_MEMORY_MIB, MORNING_MILLIS, MORNING_WAVES } from './morning.js';
import { clockOf } from './clock.js';
import { waveWord } from './score.js';
import type { View } from './show.js';
import { difference } from './summary.js';

/** What a picture of the demo shows. */
export interface Scene {
  readonly atMillis: number;
  readonly views: readonly [View, View];
  /** How it goes on, at the end of the first line. */
  readonly pace: string;
  /** What can be pressed; empty where nobody can. */
  readonly keys: string;
}

export interface SceneSize extends FrameSize {
  readonly unicode: boolean;
}

/** With less a pane has no room for curves beside each other. */
const LEAST_PANE_COLUMNS = 64;
const SEPARATOR = '│ ';
const MEMORY_TOP_BYTES = MORNING_MEMORY_MIB * 1024 ** 2;

/** The headline, how both policies have done, and the screen of each: beside each other where there is room. */
export function layOut(scene: Scene, { columns, rows, unicode }: SceneSize): readonly Line[] {
  const top = [headline(scene, columns), ...scoreboard(scene)];
  const last: readonly Line[] = scene.keys === '' ? [] : [[{ text: scene.keys, ink: 'dim' }]];
  const blank: readonly Line[] = rows >= 30 ? [[]] : [];
  const room = Math.max(rows - top.length - blank.length - last.length, 0);
  const pane = Math.floor((columns - SEPARATOR.length - 1) / 2);
  const screens = pane >= LEAST_PANE_COLUMNS ? abreast : stacked;
  const drawn = screens(scene, { columns: pane >= LEAST_PANE_COLUMNS ? pane : columns, rows: room, unicode });
  const spare = Array.from({ length: Math.max(room - drawn.length, 0) }, (): Line => []);
  return [...top, ...blank, ...drawn, ...spare, ...last].slice(0, rows).map((line) => clip(line, columns));
}

function abreast({ views: [left, right] }: Scene, size: SceneSize): readonly Line[] {
  const options = { ...size, keys: false, memoryTopBytes: MEMORY_TOP_BYTES };
  const [first, second] = [frame(left.state, options), frame(right.state, options)];
  const separated = Array.from({ length: size.rows }, (_, row): Line => {
    return [{ text: SEPARATOR, ink: 'dim' }, ...(second[row] ?? [])];
  });
  return beside(first, separated, size.columns + 1);
}

function stacked({ views }: Scene, { columns, rows, unicode }: SceneSize): readonly Line[] {
  const half = Math.floor(rows / 2);
  const options = { columns, rows: half, unicode, keys: false, memoryTopBytes: MEMORY_TOP_BYTES };
  return views.flatMap(({ state }) => {
    const lines = frame(state, options);
    return [...lines, ...Array.from({ length: half - lines.length }, (): Line => [])];
  });
}

function headline({ atMillis, views, pace }: Scene, columns: number): Line {
  const chapter = MORNING_CHAPTERS.findLast(({ fromMillis }) => fromMillis <= atMillis);
  const now = atMillis < MORNING_MILLIS ? chapter?.headline : difference(views);
  const left: Line = [
    { text: `${clockOf(atMillis)}  `, ink: 'strong' },
    { text: now ?? '', ink: 'good' },
  ];
  return ends(left, [[{ text: pace, ink: 'dim' }]], columns);
}

const NAME_COLUMNS = 10;
const FIGURE_COLUMNS = 11;
const WAVE_COLUMNS = 7;

/** How both have done, in 80 columns. */
function scoreboard({ atMillis, views }: Scene): readonly Line[] {
  const row = (name: string, figures: readonly string[], waves: readonly string[]) => {
    const cells = [
      ...figures.map((text) => text.padStart(FIGURE_COLUMNS)),
      '  ',
      ...waves.map((text) => text.padStart(WAVE_COLUMNS)),
    ];
    return `${name.padEnd(NAME_COLUMNS)}${cells.join('')}`;
  };
  const times = MORNING_WAVES.map(({ fromMillis }) => clockOf(fromMillis));
  return [
    [{ text: `${row('', ['saved,', 'least', 'CPU of'], [])}  minutes to 90 % of the gain, from`, ink: 'dim' }],
    [{ text: row('', ['on average', 'free', 'ksmd'], times), ink: 'dim' }],
    ...views.map(({ policy, score }): Line => {
      const { meanSavedBytes, leastFreeBytes, ksmdCpuNanos, waves } = score;
      const figures = [formatBytes(meanSavedBytes), formatBytes(leastFreeBytes), `${Math.round(ksmdCpuNanos / 1e9)} s`];
      const words = waves.map((wave) => waveWord(wave, atMillis));
      return [{ text: row(policy, figures, words), ink: 'strong' }];
    }),
  ];
}
