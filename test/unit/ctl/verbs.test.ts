import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { generalHelp, verbHelp, verbOf } from '../../../src/ctl/help.js';
import { OPTIONS, UsageError, type VerbInput, optionOf, type OptionName } from '../../../src/ctl/verb.js';
import { VERBS } from '../../../src/ctl/verbs.js';
import { assertGolden } from '../../support/golden.js';
import { PLAIN, inputOf } from '../../support/examples/ctlExamples.js';

const NAMES = Object.keys(VERBS);

describe('the table of verbs', () => {
  for (const [name, { summary, usage = name, words = [], options, examples }] of Object.entries(VERBS)) {
    test(`the verb ${name} has a summary, usage and examples that fit`, () => {
      assert.match(summary, /^\S.{10,48}[^\s.]$/);
      assert.equal(usage.split(' ')[0], name);
      assert.equal(words.length > 0, usage.includes(' '), 'what a verb takes is offered');
      assert.equal(new Set(options).size, options.length);
      assert.ok(examples.length > 0);
      for (const { command, does } of examples) {
        assert.ok(command.includes(`samepagectl ${name}`), command);
        assert.ok(`  ${command}`.length <= 80, command);
        assert.match(does, /^\S.*[^\s.:]$/);
      }
    });
  }

  test('every option is taken by some verb, and one with a value has a placeholder', () => {
    const taken = new Set(Object.values(VERBS).flatMap(({ options }) => options));
    for (const name of Object.keys(OPTIONS) as OptionName[]) {
      assert.ok(taken.has(name), name);
      const { type, placeholder, values } = optionOf(name);
      assert.equal(placeholder !== undefined, type === 'string', name);
      assert.equal(values !== undefined, type === 'string', name);
    }
  });
});

describe('the help', () => {
  const screens = [['', generalHelp(VERBS, PLAIN)], ...NAMES.map((name) => [name, verbHelp(name, VERBS, PLAIN)])];

  test('the help of samepagectl says what it said', () => {
    assertGolden(
      'help.txt',
      screens.map(([name, text]) => `== samepagectl help ${name ?? ''}\n${text ?? ''}\n`).join('\n'),
    );
  });

  test('the help of samepagectl fits 80x24', () => {
    for (const [name, text = ''] of screens) {
      const lines = text.split('\n');
      assert.ok(lines.length <= 24, `${name ?? ''}: ${lines.length}`);
      for (const line of lines) assert.ok(line.length <= 80, line);
    }
  });

  test('the help of samepagectl says of a mistyped verb which is nearest', () => {
    for (const [typed, meant] of [
      ['polcy', 'policy'],
      ['Status', 'status'],
      ['explian', 'explain'],
      ['relaod', 'reload'],
    ] as const) {
      assert.throws(() => verbOf(typed, VERBS), new UsageError(`no verb "${typed}"; did you mean ${meant}?`));
    }
    assert.throws(() => verbOf('dance', VERBS), new UsageError('no verb "dance"; see samepagectl help'));
    assert.throws(() => verbOf('constructor', VERBS), UsageError);
  });
});

describe('words that a verb cannot take', () => {
  const rows: readonly (readonly [words: string, message: RegExp])[] = [
    ['policy a b', /^policy takes one name, not "b"$/],
    ['help a b', /^help takes one verb, not "b"$/],
    ['help polcy', /^no verb "polcy"; did you mean policy\?$/],
    ['config chek', /^config takes check FILE, not "chek"; did you mean check\?$/],
    ['config dance', /^config takes check FILE, not "dance"$/],
    ['config check a b', /^config check takes one file, not "b"$/],
    ['completion', /^completion takes one of bash, zsh, fish$/],
    ['completion bsh', /^completion takes one of bash, zsh, fish, not "bsh"; did you mean bash\?$/],
    ['completion bash zsh', /^completion takes one of bash, zsh, fish$/],
    ['completion constructor', /not "constructor"$/],
    ['pause soon', /^"soon" is not a duration/],
    ['pause 0', /^"0" is not a duration/],
    ['pause 10m 5m', /^"10m 5m" is not a duration/],
    ['guests forbit web', /^guests takes forbid or allow, not "forbit"; did you mean forbid\?$/],
    ['guests dance', /^guests takes forbid or allow, not "dance"$/],
    ['guests forbid', /^guests forbid: which guest\?/],
    ['guests allow a b', /^guests allow takes one guest, not "b"$/],
  ];
  for (const [line, message] of rows) {
    test(`samepagectl ${line} is refused`, async () => {
      const [name = '', ...words] = line.split(' ');
      const verb = verbOf(name, VERBS);
      await assert.rejects(
        async () => verb.run(inputOf({ words })),
        (error: Error) => {
          assert.ok(error instanceof UsageError);
          assert.match(error.message, message);
          return true;
        },
      );
    });
  }
});

describe('options that a verb cannot take', () => {
  const rows: readonly (readonly [verb: string, input: Partial<VerbInput>, message: RegExp])[] = [
    ['estimate', { for: '2h' }, /^--for 2h: expected a time from 1s to 1h, as 90s or 2m$/],
    ['estimate', { for: '0' }, /^--for 0: expected a time /],
    ['estimate', { for: 'soon' }, /^--for soon: expected a time /],
    ['history', { since: 'yesterday' }, /^--since "yesterday" is not a duration; /],
    ['history', { csv: true, json: true }, /^history takes one of --csv, --json and --svg$/],
    ['history', { json: true, svg: 'x' }, /^history takes one of --csv, --json and --svg$/],
  ];
  for (const [name, input, message] of rows) {
    test(`samepagectl ${name} refuses the options ${JSON.stringify(input)}`, async () => {
      await assert.rejects(
        async () => verbOf(name, VERBS).run(inputOf(input)),
        (error: Error) => {
          assert.ok(error instanceof UsageError);
          assert.match(error.message, message);
          return true;
        },
      );
    });
  }
});
