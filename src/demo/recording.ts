import { MORNING_MILLIS } from './morning.js';
import { film } from './film.js';
import { layOut } from './layout.js';
import { Show } from './show.js';

const SIZE = { columns: 132, rows: 36, unicode: true } as const;
const PICTURES = 48;
const PICTURE_SECONDS = 0.5;

/** The demo as a moving picture, SVG: the same every time. */
export function recorded(): string {
  const show = new Show();
  const pictures = Array.from({ length: PICTURES + 1 }, (_, index) => {
    show.advanceTo((MORNING_MILLIS * index) / PICTURES);
    return layOut({ atMillis: show.atMillis, views: show.views(), pace: 'simulated', keys: '' }, SIZE);
  });
  return film(pictures, { ...SIZE, title: 'npm run demo', pictureSeconds: PICTURE_SECONDS });
}
