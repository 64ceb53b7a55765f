import assert from 'node:assert/strict';
import { AgentHost } from './agentHost.js';
import { Tmux, type TerminalOptions } from './tmux.js';

export const LIBVIRT = '/org/libvirt/Test';
/** The last line of every frame. */
export const KEYS = /\? help +q quit$/m;

/** A host where ksmd is to merge, with libvirt's test driver. */
export async function shortHost(): Promise<AgentHost> {
  const host = await AgentHost.create({ bus: { libvirt: 'test' } });
  host.memoryIsShort();
  return host;
}

/** What samepagectl watch is told to look at this host. */
export function watchWords(host: AgentHost): readonly string[] {
  return ['--bus', host.address, '--root', host.tree.root, '--libvirt', LIBVIRT];
}

interface Watching extends AsyncDisposable {
  readonly tmux: Tmux;
  /** The modes that a command finds. */
  readonly before: string;
}

/** A terminal in which samepagectl watch runs. */
export async function watching(host: AgentHost, options: TerminalOptions = {}): Promise<Watching> {
  const tmux = await Tmux.start(options);
  const before = await between(tmux);
  await tmux.enter(`samepagectl watch ${watchWords(host).join(' ')}; echo status $?`);
  await tmux.shows(KEYS);
  return { tmux, before, [Symbol.asyncDispose]: () => tmux[Symbol.asyncDispose]() };
}

/** The modes while a command runs: while the shell waits for a line it has its own. */
export async function between(tmux: Tmux): Promise<string> {
  await tmux.enter('clear; echo left alone; sleep 0.7; echo over');
  await tmux.shows(/^left alone$/m);
  const modes = await tmux.modes();
  await tmux.shows(/^over$/m);
  return modes;
}

/** Waits for the end of samepagectl watch, and looks at what it left. */
export async function isAsBefore({ tmux, before }: Watching, status: number): Promise<void> {
  const screen = await tmux.shows(new RegExp(`^status ${String(status)}$`, 'm'));
  assert.match(screen, /^left alone\nover\nready> samepagectl watch/m);
  assert.doesNotMatch(screen, KEYS);
  assert.equal(await between(tmux), before);
}
