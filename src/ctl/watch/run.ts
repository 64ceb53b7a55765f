import { hostname } from 'node:os';
import { EXIT } from '../../errors.js';
import { hostOf } from '../hostRoot.js';
import { NOT_RUNNING_STATUS, UsageError, type VerbInput, type VerbResult } from '../verb.js';
import { type Means, print } from '../../text/cells.js';
import { daemonNow } from '../../api/observe.js';
import { type FrameOptions, frame } from './frame.js';
import { HostReader } from './host.js';
import { watchLive } from './live.js';
import { initialWatch, nextWatch } from './model.js';
import { Screen } from '../../text/screen.js';
import { type Sources, guestsEvent, historyEvent, hostEvent } from './sources.js';

export async function run(input: VerbInput): Promise<VerbResult> {
  const sources = sourcesOf(input);
  const means: Means = input.terminal;
  if (input.once) return once(sources, means, input.terminal.interactive);
  const { stdin, stdout } = process;
  if (!stdin.isTTY || !stdout.isTTY) throw new UsageError('watch needs a terminal; --once prints one frame');
  const screen = new Screen(stdin, stdout);
  let status: number;
  try {
    status = await watchLive(sources, screen, hostname(), means);
  } finally {
    screen.close();
  }
  // Whoever quits does not wait for what somebody was still asked.
  process.exit(status);
}

/** With another host's files it must be said where that host's daemon is. */
function sourcesOf({ libvirt, ...input }: VerbInput): Sources {
  const { root, bus } = hostOf(input);
  if (bus === undefined) throw new UsageError('watch takes --root only with --bus');
  return { bus, libvirt, root };
}

async function once(sources: Sources, means: Means, interactive: boolean): Promise<VerbResult> {
  const [history, news, guests] = await Promise.all([
    historyEvent(sources),
    daemonNow(sources.bus),
    guestsEvent(sources),
  ]);
  const accounting = news.kind === 'daemon' ? news.accounting : 'corrected';
  const host = hostEvent(new HostReader(sources.root), accounting);
  const state = [history, news, guests, host].reduce(nextWatch, initialWatch(hostname(), Date.now()));
  const { columns, rows } = process.stdout;
  // The shell's next line takes one.
  const size = interactive && columns > 0 ? { columns, rows: rows - 1 } : { columns: 80, rows: 24 };
  const options: FrameOptions = { ...size, unicode: means.unicode, keys: false };
  const output = frame(state, options).map((line) => print(line, means));
  return { status: news.kind === 'away' ? NOT_RUNNING_STATUS : EXIT.ok, output: output.join('\n') };
}
