import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { MANAGER_INTERFACE } from '../../../src/api/names.js';
import { KEYS, type KeyName, POLICY_HELP } from '../../../src/config/keys.js';
import { DEFAULT_CONFIG_FILE } from '../../../src/config/load.js';
import { manSections } from './verbs.js';
import { NOT_RUNNING_STATUS } from '../../../src/ctl/verb.js';
import { VERBS } from '../../../src/ctl/verbs.js';
import { EXIT } from '../../../src/errors.js';
import { VERSION } from '../../../src/version.js';
import { busInterface, polkitActions } from './busInterface.js';
import { daemonFlags } from './daemonFlags.js';
import { REASONS } from '../../../src/core/decision.js';
import { entry, escaped, flag, literal, sentence } from './roff.js';
import { fill } from './template.js';

type Values = Readonly<Record<string, string>>;

/** Below the root of the sources, as the paths below. */
export const MAN_DIRECTORY = 'deploy/man';
const INTERFACE_FILE = 'deploy/dbus/org.samepaged1.Manager.xml';
const ACTIONS_FILE = 'deploy/polkit/org.samepaged1.policy';

/** Every page by its file's name: NAME.in with what the program itself says of verbs, options, keys and members. */
export function manPages(): Values {
  const pages: Readonly<Record<string, Values>> = {
    'samepaged.8': { ...daemonOptions(), ...named('exit', EXIT, String), ...named('policy', POLICY_HELP, choice) },
    'samepagectl.1': {
      ...manSections(VERBS),
      notRunning: String(NOT_RUNNING_STATUS),
      usage: String(EXIT.usage),
      config: String(EXIT.config),
    },
    'ksmtuned.conf.5': { file: DEFAULT_CONFIG_FILE, ...named<(typeof KEYS)[KeyName]>('key', KEYS, keyEntry) },
    'org.samepaged1.5': {
      ...busInterface(readFileSync(INTERFACE_FILE, 'utf8'), MANAGER_INTERFACE),
      actions: polkitActions(readFileSync(ACTIONS_FILE, 'utf8')),
      reasons: Object.values(named('', REASONS, choice)).join('\n'),
    },
  };
  return Object.fromEntries(
    Object.entries(pages).map(([name, values]) => {
      const template = join(MAN_DIRECTORY, `${name}.in`);
      const all = { ...values, date: releaseDate(readFileSync('CHANGELOG.md', 'utf8')), version: VERSION };
      return [
        name,
        `.\\" Made by "npm run man" from ${template}.\n${fill(readFileSync(template, 'utf8'), all, template)}`,
      ];
    }),
  );
}

/** The day of the newest release; nothing before the first. Another day of building must not be another page. */
export function releaseDate(changelog: string): string {
  return /^## \[\d.*\] - (\d{4}-\d\d-\d\d)$/m.exec(changelog)?.[1] ?? '';
}

function daemonOptions(): Values {
  const flags = daemonFlags();
  return {
    SYNOPSIS: flags.map(({ name, placeholder }) => `[${flag(name, placeholder)}]`).join('\n'),
    OPTIONS: flags.map(({ name, placeholder, help }) => entry(flag(name, placeholder), escaped(help))).join('\n'),
  };
}

/** Each of `table` as roff, by `prefix` and its name. */
function named<T>(
  prefix: string,
  table: Readonly<Record<string, T>>,
  roff: (value: T, name: string) => string,
): Values {
  return Object.fromEntries(Object.entries(table).map(([name, value]) => [`${prefix}.${name}`, roff(value, name)]));
}

function choice(help: string, name: string): string {
  return entry(literal(name), sentence(help));
}

/** With its default, and what it takes. */
function keyEntry({ help, fallback, expected }: (typeof KEYS)[KeyName], name: string): string {
  return entry(literal(`${name}=${fallback}`), `${sentence(help)}\n${sentence(`takes ${expected}`)}`);
}
