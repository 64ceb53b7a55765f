import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Plan, Saved } from '../report.js';
import { type Area, framesOf, hugeBytes, pageBytes } from './pages.js';

const PROGRAM = '/lab/qemu-system-x86_64';
const NAMES = ['web1', 'web2', 'web3'];

/** Processes that samepaged takes for QEMU guests. */
export class Guests {
  readonly #processes: ChildProcess[] = [];
  readonly #areas: (readonly [pid: number, area: Area])[] = [];

  /** Their memory is filled when it resolves. */
  static async start(mib: Plan['guestMiB'], hugepages: boolean): Promise<Guests> {
    const guests = new Guests();
    for (const name of NAMES) await guests.#startOne(name, mib, hugepages);
    return guests;
  }

  async #startOne(name: string, mib: Plan['guestMiB'], hugepages: boolean): Promise<void> {
    const kinds = Object.entries(mib);
    const total = kinds.reduce((sum, [, size]) => sum + size, 0);
    const likeQemu = ['-name', `guest=${name},debug-threads=on`, '-m', `size=${total * 1024}k`];
    const what = [hugepages ? 'huge' : 'small', ...kinds.map(([kind, size]) => `${kind}:${size}`)];
    const child = spawn(PROGRAM, [...likeQemu, '--', ...what], { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#processes.push(child);
    const [line] = (await Promise.race([
      once(createInterface(child.stdout), 'line'),
      once(child, 'exit').then(() => Promise.reject(new Error(`guest ${name} ended`))),
    ])) as [string];
    const { areas } = JSON.parse(line) as { areas: Area[] };
    this.#areas.push(...areas.map((area) => [child.pid ?? -1, area] as const));
  }

  /** What of the memory they filled is gone, by kind: merged within and between guests, or freed. Parts of 1. */
  saved(): Saved {
    const kinds = new Set(this.#areas.map(([, { kind }]) => kind));
    return Object.fromEntries(
      [...kinds].map((kind) => {
        const areas = this.#areas.filter(([, area]) => area.kind === kind);
        const pages = areas.reduce((sum, [, { bytes }]) => sum + bytes, 0) / pageBytes();
        const frames = new Set(areas.flatMap(([pid, area]) => framesOf(pid, area)));
        return [kind, 1 - frames.size / pages];
      }),
    ) as Saved;
  }

  /** The part of their memory that is in huge pages. */
  huge(): number {
    const bytes = this.#areas.reduce((sum, [, area]) => sum + area.bytes, 0);
    return this.#processes.reduce((sum, { pid }) => sum + hugeBytes(pid ?? -1), 0) / bytes;
  }

  async stop(): Promise<void> {
    for (const child of this.#processes) {
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    }
  }
}
