#!/usr/bin/env node
import { fold, terminalOf } from '../text/terminal.js';
import { type Means, print } from '../text/cells.js';
import { Screen } from '../text/screen.js';
import { watchStdout } from '../errors.js';
import { MORNING_MILLIS } from './morning.js';
import { SIMULATED_ZONE } from './clock.js';
import { layOut } from './layout.js';
import { BadOption, type DemoOptions, SPEEDS, parseOptions } from './options.js';
import { play } from './play.js';
import { Show } from './show.js';
import { NEXT, summary } from './summary.js';

const HELP = `Usage: npm run demo [-- OPTION...]
A morning on a busy host in a minute: samepaged's policies ksmtuned and adaptive side by side, on a
simulated host. Needs no root, no libvirt and no guests, and changes nothing.

  --once       no screen: how it ends, and what came of it
  --speed N    ${SPEEDS.least} to ${SPEEDS.most} times as fast (1: the morning takes a minute)
  --help       this

Keys: q quits, space pauses, + and - change the speed.
`;
const [FAILED_STATUS, USAGE_STATUS] = [1, 2];
/** The least that both hosts fit into. */
const PICTURE = { columns: 80, rows: 24 } as const;

/** @returns the exit status. */
async function main(): Promise<number> {
  process.env.TZ = SIMULATED_ZONE;
  const { help, once, speed } = parseOptions(process.argv.slice(2));
  if (help) return say(HELP);
  const means: Means = terminalOf(process.stdout, process.env);
  const show = new Show();
  const status = once || !process.stdin.isTTY || !process.stdout.isTTY ? undefined : await onScreen(show, means, speed);
  return status ?? say(ending(show, means));
}

/** The last picture and the summary, in the terminal as it is by now. */
function ending(show: Show, means: Means): string {
  show.advanceTo(MORNING_MILLIS);
  const views = show.views();
  const terminal = terminalOf(process.stdout, process.env);
  const ending = [...summary(views).flatMap((paragraph) => ['', fold([paragraph], terminal)]), '', ...NEXT, ''].join(
    '\n',
  );
  const { columns, rows } = process.stdout;
  const left = rows - ending.split('\n').length - 1;
  const size = terminal.interactive && columns > 0 ? { columns, rows: Math.max(left, PICTURE.rows) } : PICTURE;
  const scene = { atMillis: show.atMillis, views, pace: 'simulated', keys: '' };
  const picture = layOut(scene, { ...size, unicode: means.unicode }).map((line) => print(line, means));
  return `${picture.join('\n')}\n${ending}`;
}

async function onScreen(show: Show, means: Means, speed: DemoOptions['speed']): Promise<number | undefined> {
  const screen = new Screen(process.stdin, process.stdout);
  try {
    return await play(show, screen, means, speed);
  } finally {
    screen.close();
  }
}

function say(text: string): number {
  process.stdout.write(text);
  return 0;
}

watchStdout('demo', () => process.exit(FAILED_STATUS));

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof BadOption)) throw error;
  process.stderr.write(`demo: ${error.message}\n`);
  process.exitCode = USAGE_STATUS;
}
