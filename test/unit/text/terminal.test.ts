import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { fold, hanging, indented, paint, terminalOf } from '../../../src/text/terminal.js';
import { topicRows } from '../../../src/text/table.js';
import { wrap } from '../../../src/text/wrap.js';
import { PLAIN } from '../../support/examples/ctlExamples.js';

describe('a terminal', () => {
  const stream = (isTTY: boolean, columns: number) => ({ isTTY, columns });
  const rows: { name: string; terminal: object; is: object }[] = [
    {
      name: 'has its width and colour',
      terminal: terminalOf(stream(true, 90), {}),
      is: { columns: 90, colour: true, unicode: false, interactive: true },
    },
    {
      name: 'is 80 wide and plain where it is none',
      terminal: terminalOf(stream(false, 0), {}),
      is: { columns: 80, colour: false, unicode: false, interactive: false },
    },
    {
      name: 'has all its width',
      terminal: terminalOf(stream(true, 300), {}),
      is: { columns: 300, colour: true, unicode: false, interactive: true },
    },
    {
      name: 'is 40 wide where it is too narrow to write',
      terminal: terminalOf(stream(true, 3), {}),
      is: { columns: 40, colour: true, unicode: false, interactive: true },
    },
    {
      name: 'is plain with NO_COLOR',
      terminal: terminalOf(stream(true, 80), { NO_COLOR: '1' }),
      is: { columns: 80, colour: false, unicode: false, interactive: true },
    },
    {
      name: 'is not plain with an empty NO_COLOR',
      terminal: terminalOf(stream(true, 80), { NO_COLOR: '' }),
      is: { columns: 80, colour: true, unicode: false, interactive: true },
    },
    {
      name: 'shows more than ASCII where the locale does',
      terminal: terminalOf(stream(true, 80), { LANG: 'C.UTF-8' }),
      is: { columns: 80, colour: true, unicode: true, interactive: true },
    },
    {
      name: "shows ASCII alone on Linux's own console",
      terminal: terminalOf(stream(true, 80), { LANG: 'C.UTF-8', TERM: 'linux' }),
      is: { columns: 80, colour: true, unicode: false, interactive: true },
    },
    {
      name: 'is plain where it can do no more',
      terminal: terminalOf(stream(true, 80), { TERM: 'dumb' }),
      is: { columns: 80, colour: false, unicode: false, interactive: true },
    },
  ];
  for (const { name, terminal, is } of rows) {
    test(`a terminal ${name}`, () => {
      assert.deepEqual(terminal, is);
    });
  }

  test('a terminal is painted only in colour', () => {
    assert.equal(paint(PLAIN, 'bad', 'x'), 'x');
    assert.equal(paint({ ...PLAIN, colour: true }, 'bad', 'x'), '\u001b[1m\u001b[31mx\u001b[39m\u001b[22m');
  });
});

describe('breaking lines', () => {
  const words = fc.array(fc.stringMatching(/^[a-z.]{1,12}$/), { minLength: 1, maxLength: 40 });

  test('breaking lines loses nothing and is as wide as it may be', () => {
    fc.assert(
      fc.property(words, fc.integer({ min: 12, max: 60 }), (list, columns) => {
        const lines = wrap(list.join(' '), columns);
        assert.equal(lines.join(' '), list.join(' '));
        for (const [at, line] of lines.entries()) {
          assert.ok(line.length <= columns, line);
          const next = lines[at + 1]?.split(' ')[0];
          if (next !== undefined) assert.ok(`${line} ${next}`.length > columns, `${line}|${next}`);
        }
      }),
    );
  });

  test('breaking lines keeps a number with its unit', () => {
    assert.deepEqual(wrap('it uses 4.7 GiB now', 12), ['it uses', '4.7 GiB now']);
    assert.deepEqual(wrap('aaaa 12 min 30 s', 11), ['aaaa 12 min', '30 s']);
    assert.deepEqual(wrap('take 30 % of it', 7), ['take', '30 % of', 'it']);
  });

  test('breaking lines leaves a long word whole', () => {
    assert.deepEqual(wrap('a verylongword b', 5), ['a', 'verylongword', 'b']);
  });

  test('breaking lines indents what goes on', () => {
    const narrow = { ...PLAIN, columns: 10 };
    assert.deepEqual(indented('aaa bbb ccc', 2, narrow), ['  aaa bbb', '  ccc']);
    assert.deepEqual(hanging('aaa bbb ccc', 4, narrow), ['  aaa', '    bbb', '    ccc']);
    assert.deepEqual(
      topicRows(
        [
          ['a', 'x y'],
          ['bb', 'zzz zzz'],
        ],
        narrow,
      ),
      ['  a   x y', '  bb  zzz', '      zzz'],
    );
  });

  test('lines of sentences are broken earlier where a terminal is too wide to read', () => {
    const wide = { ...PLAIN, columns: 200, interactive: true };
    const text = 'word '.repeat(39).trim();
    for (const lines of [indented(text, 0, wide), fold([text], wide).split('\n')]) {
      assert.deepEqual(
        lines.map(({ length }) => length),
        [99, 94],
      );
    }
  });

  test('a broken line of what is indented goes on below it, and what fits is left alone', () => {
    const narrow = { ...PLAIN, columns: 10, interactive: true };
    assert.equal(fold(['aaa', '  bbb ccc ddd', '    e   # f'], narrow), 'aaa\n  bbb ccc\n  ddd\n    e # f');
    assert.equal(fold(['  e   # f'], narrow), '  e   # f');
  });

  test('lines are broken for persons only', () => {
    const narrow = { ...PLAIN, columns: 5 };
    assert.equal(fold(['aaa bbb', 'c'], narrow), 'aaa bbb\nc');
    assert.equal(fold(['aaa bbb', 'c'], { ...narrow, interactive: true }), 'aaa\nbbb\nc');
  });
});
