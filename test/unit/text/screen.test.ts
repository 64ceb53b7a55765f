import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { PassThrough } from 'node:stream';
import { describe, test } from 'node:test';
import type { ReadStream, WriteStream } from 'node:tty';
import { Screen } from '../../../src/text/screen.js';

/** A terminal that remembers what it was told. */
class FakeTerminal {
  readonly written: string[] = [];
  raw = false;
  readonly input = Object.assign(new PassThrough(), {
    setRawMode: (raw: boolean) => {
      this.raw = raw;
    },
  });
  readonly output = Object.assign(new EventEmitter(), {
    columns: 20,
    rows: 3,
    write: (text: string) => this.written.push(text),
  });

  open(): Screen {
    return new Screen(this.input as unknown as ReadStream, this.output as unknown as WriteStream);
  }

  /** What was written since this was asked last. */
  news(): string {
    return this.written.splice(0).join('').replaceAll('\u001b', '^');
  }
}

const ENTER = '^[?1049h^[?25l^[?7l';
const LEAVE = '^[0m^[?7h^[?25h^[?1049l';
const frameOf = (text: string) => `^[?2026h${text}^[?2026l`;

describe('the screen of a watch', () => {
  test('the screen of a watch is taken, and given back once, with no listener left', () => {
    const listeners = () =>
      ['SIGTERM', 'SIGINT', 'SIGCONT', 'SIGTSTP', 'exit'].map((name) => process.listenerCount(name));
    const before = listeners();
    const terminal = new FakeTerminal();
    const screen = terminal.open();
    assert.deepEqual([terminal.news(), terminal.raw], [ENTER, true]);
    screen.close();
    screen.close();
    assert.deepEqual([terminal.news(), terminal.raw], [LEAVE, false]);
    screen.draw(['too late']);
    assert.equal(terminal.news(), '');
    assert.deepEqual(listeners(), before);
    assert.equal(terminal.input.listenerCount('data') + terminal.output.listenerCount('resize'), 0);
  });

  test('the screen of a watch is written to in one piece, and only what differs', () => {
    const terminal = new FakeTerminal();
    const screen = terminal.open();
    terminal.news();
    screen.draw(['one', 'two']);
    assert.equal(terminal.written.length, 1);
    assert.equal(terminal.news(), frameOf('^[2J^[1;1H^[Kone^[2;1H^[Ktwo^[3;1H^[K'));
    screen.draw(['one', 'TWO', '', 'below the last line']);
    assert.equal(terminal.news(), frameOf('^[2;1H^[KTWO'));
    screen.draw(['one', 'TWO']);
    assert.equal(terminal.news(), '');
    screen.close();
  });

  test('the screen of a watch of another size, or drawn over, is written anew', () => {
    const terminal = new FakeTerminal();
    const screen = terminal.open();
    let redraws = 0;
    screen.redraw$.subscribe({ next: () => (redraws += 1), error: assert.ifError });
    screen.draw(['one']);
    terminal.news();
    Object.assign(terminal.output, { columns: 10, rows: 1 }).emit('resize');
    assert.deepEqual([redraws, screen.size], [1, { columns: 10, rows: 1 }]);
    screen.draw(['one']);
    assert.equal(terminal.news(), frameOf('^[2J^[1;1H^[Kone'));
    terminal.input.emit('data', '\u000c');
    assert.equal(redraws, 2);
    screen.draw(['one']);
    assert.equal(terminal.news(), frameOf('^[2J^[1;1H^[Kone'));
    screen.close();
  });

  test('the screen of a watch gives each key, and none for an arrow', () => {
    const terminal = new FakeTerminal();
    const screen = terminal.open();
    const keys: string[] = [];
    screen.key$.subscribe({ next: (key) => keys.push(key), error: assert.ifError });
    for (const text of ['r', '\u001b[A', 'pq', '\u001bOP', '\u0003']) terminal.input.emit('data', text);
    assert.deepEqual(keys, ['r', 'p', 'q', '\u0003']);
    screen.close();
  });

  test('the screen of a watch tells the end by a signal, and by the terminal, to which nothing is written then', () => {
    const terminal = new FakeTerminal();
    const screen = terminal.open();
    const ends: number[] = [];
    screen.end$.subscribe({ next: (status) => ends.push(status), error: assert.ifError });
    process.emit('SIGTERM', 'SIGTERM');
    terminal.news();
    terminal.input.emit('end');
    screen.close();
    assert.deepEqual([ends, terminal.news()], [[143, 129], '']);
  });

  test('the screen of a watch is given back before an uncaught error is told', () => {
    const terminal = new FakeTerminal();
    const screen = terminal.open();
    terminal.news();
    const emitter: NodeJS.EventEmitter = process;
    emitter.emit('uncaughtExceptionMonitor', new Error('a fault'), 'uncaughtException');
    assert.deepEqual([terminal.news(), terminal.raw], [LEAVE, false]);
    screen.close();
    assert.equal(terminal.news(), '');
  });

  test('the screen of a watch is taken again after a stop that nobody saw coming', () => {
    const terminal = new FakeTerminal();
    const screen = terminal.open();
    screen.draw(['one']);
    terminal.news();
    process.emit('SIGCONT', 'SIGCONT');
    assert.deepEqual([terminal.news(), terminal.raw], [ENTER, true]);
    screen.draw(['one']);
    assert.equal(terminal.news(), frameOf('^[2J^[1;1H^[Kone^[2;1H^[K^[3;1H^[K'));
    screen.close();
  });
});
