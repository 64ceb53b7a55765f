import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { KEYS } from '../../../src/config/keys.js';
import { type Config, DEFAULT_CONFIG_FILE, loadConfig } from '../../../src/config/load.js';
import { VERBS } from '../../../src/ctl/verbs.js';
import { messageOf } from '../../../src/errors.js';
import { daemonFlags } from '../../../deploy/man/generate/daemonFlags.js';
import { MAN_DIRECTORY } from '../../../deploy/man/generate/pages.js';

const NAMES = ['samepaged.8', 'samepagectl.1', 'ksmtuned.conf.5', 'org.samepaged1.5'] as const;
type Name = (typeof NAMES)[number];

function roffOf(name: Name): string {
  return readFileSync(join(MAN_DIRECTORY, name), 'utf8');
}

/** The commands of samepaged's that a page has in bold, each by itself. */
function commandsOf(name: Name): readonly string[] {
  const bold = [
    ...roffOf(name).matchAll(/(?:^\.(?:B|BR|RB \() "?|\\fB)(samepage(?:d|ctl) [^"\n\\]*(?:\\-[^"\n\\]*)*)/gm),
  ];
  return bold
    .flatMap(([, line = '']) => line.replaceAll('\\-', '-').split(/ (?:&&|>) /))
    .map((command) => command.trim())
    .filter((command) => /^samepage(d|ctl) [a-z-]/.test(command));
}

/** What is shown line for line. */
function displaysOf(name: Name): readonly string[] {
  return [...roffOf(name).matchAll(/^\.nf\n(.*?)^\.fi$/gms)].map(([, text = '']) => text);
}

function loadText(text: string): Config {
  const directory = mkdtempSync(join(tmpdir(), 'samepaged-man-'));
  const file = join(directory, 'ksmtuned.conf');
  try {
    writeFileSync(file, text);
    return loadConfig(file);
  } catch (error) {
    throw new Error(messageOf(error).replaceAll(file, DEFAULT_CONFIG_FILE), { cause: error });
  } finally {
    rmSync(directory, { recursive: true });
  }
}

for (const name of NAMES) {
  describe(name, () => {
    const text = roffOf(name);

    it(`the manual page ${name} is ASCII, which every terminal can show`, () => {
      assert.doesNotMatch(text, /[^\x00-\x7f]/);
    });

    it(`the manual page ${name} names keys that there are`, () => {
      const named = [...text.matchAll(/\bKSM_[A-Z_]+/g)].map(([key]) => key);
      assert.deepEqual(
        named.filter((key) => !Object.hasOwn(KEYS, key)),
        [],
      );
    });
  });
}

describe('commands in the pages', () => {
  const flags = daemonFlags().map(({ name }) => name);
  const commands = NAMES.flatMap(commandsOf);

  it('commands in the manual pages are found', () => {
    for (const known of ['samepagectl stop', 'samepaged --print-config', 'samepagectl unmerge --force'])
      assert.ok(commands.includes(known), `${known} is not among ${commands.join(', ')}`);
  });

  for (const command of new Set(commands)) {
    it(`the manual pages' ${command} is a command that there is`, () => {
      const [program, verb = '', ...words] = command.split(' ');
      const taken: readonly string[] = program === 'samepaged' ? flags : (VERBS[verb]?.options ?? []);
      const options = [verb, ...words].filter((word) => word.startsWith('--')).map((word) => word.slice(2));
      assert.ok(program === 'samepaged' || Object.hasOwn(VERBS, verb), `there is no verb ${verb}`);
      assert.deepEqual(
        options.filter((option) => !taken.includes(option)),
        [],
        'there is no such option',
      );
    });
  }
});

describe('ksmtuned.conf.5', () => {
  const [complaint, ...examples] = displaysOf('ksmtuned.conf.5').toSorted(
    (a, b) => Number(b.startsWith('/')) - Number(a.startsWith('/')),
  );

  it('ksmtuned.conf.5 has examples that samepaged reads without a complaint', () => {
    assert.ok(examples.length >= 4, 'the examples were not found');
    for (const example of examples) {
      const { origins, warnings } = loadText(example);
      assert.deepEqual(warnings, [], example);
      assert.ok(
        Object.values(origins).some(({ origin }) => origin !== 'default'),
        example,
      );
    }
  });

  it('ksmtuned.conf.5 shows an error as samepaged tells it', () => {
    assert.throws(() => loadText('\n\n\nKSM_WHEN=often\n'), { message: complaint?.trim() });
  });
});
