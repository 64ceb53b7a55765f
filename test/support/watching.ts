import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AgentHost } from './agentHost.js';
import { eventually } from './daemon.js';
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
  const [begun, go] = ['begun', 'go'].map((name) => join(tmux.directory, name)) as [string, string];
  const wait = `touch ${begun}; until [ -e ${go} ]; do sleep 0.1; done; rm ${begun} ${go}`;
  await tmux.enter(`clear; echo left alone; ${wait}; echo over`);
  // What is on the screen may be from before.
  await eventually(() => existsSync(begun));
  const modes = await tmux.modes();
  await writeFile(go, '');
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
