import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { nearest } from '../core/nearest.js';
import { EXIT, FatalError, errnoOf, messageOf } from '../errors.js';
import { KEYS, type KeyName, type Values, defaultValues, readValue } from './keys.js';
import { parseAssignments, shellWord } from './syntax.js';

/** The file that hosts with ksmtuned already have. */
export const DEFAULT_CONFIG_FILE = '/etc/ksmtuned.conf';
const MOST_SHOWN = 20;

export interface Config {
  readonly values: Values;
  /** For each key the text it was set to and where: "default" or file:line. */
  readonly origins: Readonly<Record<KeyName, { readonly text: string; readonly origin: string }>>;
  /** Things that were passed over, each with file:line. */
  readonly warnings: readonly string[];
}

/** The configuration cannot be used. The message lists every error, each with file:line and what was expected. */
export class ConfigError extends FatalError {
  constructor(errors: readonly string[]) {
    super(firstOf(errors, (error) => error).join('\n'), EXIT.config);
  }
}

/** So many that a person reads them. */
function firstOf<Item>(items: readonly Item[], tell: (item: Item) => string): readonly string[] {
  const told = items.slice(0, MOST_SHOWN).map(tell);
  const more = items.length - told.length;
  return more > 0 ? [...told, `and ${more} more`] : told;
}

/**
 * Reads `file` and then `file`.d/*.conf in name order; a later value replaces an earlier one. A missing file means the
 * defaults.
 *
 * @throws ConfigError with all errors of all files.
 */
export function loadConfig(file: string = DEFAULT_CONFIG_FILE): Config {
  const errors: string[] = [];
  const unknown: { key: string; origin: string }[] = [];
  const values: Record<string, unknown> = { ...defaultValues() };
  const origins: Record<string, { text: string; origin: string }> = {};
  for (const [name, { fallback }] of Object.entries(KEYS)) {
    origins[name] = { text: fallback, origin: 'default' };
  }

  for (const path of [file, ...dropIns(`${file}.d`, errors)]) {
    const { assignments, complaints } = parseAssignments(readText(path, errors));
    for (const { line, message } of complaints) errors.push(`${path}:${line}: ${message}`);
    for (const assignment of assignments) {
      const origin = `${path}:${assignment.line}`;
      if (!isKey(assignment.key)) {
        unknown.push({ key: assignment.key, origin });
        continue;
      }
      const value = readValue(assignment.key, assignment.value);
      if (value === undefined) {
        errors.push(
          `${origin}: ${assignment.key}=${shorten(assignment.value)}: expected ${KEYS[assignment.key].expected}`,
        );
        continue;
      }
      values[assignment.key] = value;
      origins[assignment.key] = { text: assignment.value, origin };
    }
  }

  if (errors.length > 0) throw new ConfigError(errors);
  const config = Object.freeze({ values: Object.freeze(values) as Values, origins: origins as Config['origins'] });
  return { ...config, warnings: [...firstOf(unknown, unknownKey), ...contradictions(config)] };
}

/**
 * The configuration, when its policy can work here.
 *
 * @param obstacle why the policy cannot.
 * @throws ConfigError with the obstacle and where the policy was chosen.
 */
export function requirePolicy(config: Config, obstacle: string | undefined): Config {
  if (obstacle === undefined) return config;
  const { text, origin } = config.origins.KSM_POLICY;
  throw new ConfigError([`${origin}: KSM_POLICY=${text}: ${obstacle}`]);
}

/** Every effective value and where it came from, one line each. */
export function formatConfig({ origins }: Config): string {
  const rows = Object.entries(origins).map(([name, { text, origin }]) => {
    return [`${name}=${shellWord(text)}`, origin] as const;
  });
  const width = Math.max(...rows.map(([assignment]) => assignment.length));
  return rows.map(([assignment, origin]) => `${assignment.padEnd(width)}  # ${origin}`).join('\n');
}

function contradictions({ values, origins }: Pick<Config, 'values' | 'origins'>): string[] {
  const { KSM_NPAGES_MIN: least, KSM_NPAGES_MAX: most } = values;
  if (least <= most) return [];
  const { origin } = origins.KSM_NPAGES_MIN.origin === 'default' ? origins.KSM_NPAGES_MAX : origins.KSM_NPAGES_MIN;
  return [
    `${origin}: KSM_NPAGES_MIN (${least}) is above KSM_NPAGES_MAX (${most}): pages_to_scan will alternate between them, as with ksmtuned`,
  ];
}

function isKey(name: string): name is KeyName {
  return Object.hasOwn(KEYS, name);
}

function unknownKey({ key, origin }: { readonly key: string; readonly origin: string }): string {
  const near = nearest(key, Object.keys(KEYS));
  return `${origin}: unknown key ${shorten(key)}${near === undefined ? '' : `; did you mean ${near}?`} (ignored)`;
}

function shorten(text: string): string {
  return text.length > 60 ? `${text.slice(0, 60)}...` : text;
}

function readText(path: string, errors: string[]): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') errors.push(`${path}: cannot be read (${errnoOf(error) ?? messageOf(error)})`);
    return '';
  }
}

function dropIns(directory: string, errors: string[]): string[] {
  try {
    const names = readdirSync(directory).filter((name) => name.endsWith('.conf') && !name.startsWith('.'));
    return names.sort().map((name) => join(directory, name));
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT')
      errors.push(`${directory}: cannot be read (${errnoOf(error) ?? messageOf(error)})`);
    return [];
  }
}
