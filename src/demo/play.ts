import { filter, firstValueFrom, interval, map, merge, scan, tap, timeInterval } from 'rxjs';
import { type Means, print } from '../text/cells.js';
import type { Screen } from '../text/screen.js';
import { layOut } from './layout.js';
import { type PlayEvent, type Playback, keysOf, nextPlayback, paceOf, startPlayback } from './playback.js';
import type { Show } from './show.js';

const FRAME_MILLIS = 50;
/** Of that for the simulation, so that keys and screen do not wait for it. */
const SLICE_MILLIS = 30;

/** Plays the morning until it is over or somebody quits. @returns the exit status; undefined when it is over. */
export async function play(show: Show, screen: Screen, means: Means, speed: number): Promise<number | undefined> {
  const key$ = screen.key$.pipe(map((key): PlayEvent => ({ kind: 'key', key })));
  const tick$ = interval(FRAME_MILLIS).pipe(
    timeInterval(),
    map((tick): PlayEvent => ({ kind: 'tick', passedMillis: tick.interval, reachedMillis: show.atMillis })),
  );
  const redraw$ = screen.redraw$.pipe(
    map((): PlayEvent => ({ kind: 'tick', passedMillis: 0, reachedMillis: show.atMillis })),
  );
  const end$ = merge(key$, tick$, redraw$).pipe(
    scan(nextPlayback, startPlayback(speed)),
    tap((playback) => {
      const deadline = performance.now() + SLICE_MILLIS;
      show.advanceTo(playback.wantedMillis, () => performance.now() > deadline);
      draw(show, screen, means, playback);
    }),
    filter(({ quit }) => quit || show.over),
    map(({ quit }) => (quit ? 0 : undefined)),
  );
  return firstValueFrom(merge(end$, screen.end$), { defaultValue: 0 });
}

function draw(show: Show, screen: Screen, means: Means, playback: Playback): void {
  const scene = { atMillis: show.atMillis, views: show.views(), pace: paceOf(playback), keys: keysOf(playback) };
  screen.draw(layOut(scene, { ...screen.size, unicode: means.unicode }).map((line) => print(line, means)));
}
