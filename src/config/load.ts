import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { didYouMean } from '../text/nearest.js';
import { EXIT, FatalError, errnoOf, messageOf } from '../errors.js';
import { readPlain } from '../plainFile.js';
import { KEYS, type KeyName, type Values, defaultValues, readValue } from './keys.js';
import { parseAssignments, valueWord } from './syntax.js';

/** The file that hosts with ksmtuned already have. */
export const DEFAULT_CONFIG_FILE = '/etc/ksmtuned.conf';
const MOST_SHOWN = 20;
/** A hundred times what a configuration with a comment on each key has; parsed, it takes twelve times as much memory. */
const LARGEST_BYTES = 2 * 1024 ** 2;

export interface Origin {
  readonly text: string;
  /** "default" or file:line. */
  readonly origin: string;
  /** Whether not everybody may read that file. */
  readonly isPrivate: boolean;
}

export interface Config {
  readonly values: Values;
  /** For each key the text it was set to and where: "default" or file:line. */
  readonly origins: Readonly<Record<KeyName, Origin>>;
  /** Things that were passed over, each with file:line. */
  readonly warnings: readonly string[];
}

/** The configuration cannot be used. The message lists every problem, each with file:line and what was expected. */
export class ConfigError extends FatalError {
  constructor(problems: readonly string[]) {
    super(problems.join('\n'), EXIT.config);
  }
}

/** What is wrong in a line of a file. */
interface Finding {
  /** Lines count from 1; 0: the file as a whole. */
  readonly line: number;
  /** Without it the line is ignored. */
  readonly isError: boolean;
  readonly text: () => string;
}

/** The first errors and the first warnings, in the order given: as many as a person reads. */
function textsOf(findings: readonly Finding[]): readonly string[] {
  const first = (isError: boolean) => findings.filter((finding) => finding.isError === isError).slice(0, MOST_SHOWN);
  const shown = new Set([...first(true), ...first(false)]);
  const texts = findings.filter((finding) => shown.has(finding)).map(({ text }) => text());
  return shown.size < findings.length ? [...texts, `and ${findings.length - shown.size} more`] : texts;
}

/**
 * Reads `file` and then `file`.d/*.conf in name order; a later value replaces an earlier one. A missing file means the
 * defaults, but only where nobody asked for it.
 *
 * @throws ConfigError with all problems of all files.
 */
export function loadConfig(
  file: string = DEFAULT_CONFIG_FILE,
  wasAskedFor: boolean = file !== DEFAULT_CONFIG_FILE,
): Config {
  const values: Record<string, unknown> = { ...defaultValues() };
  const origins: Record<string, Origin> = {};
  for (const [name, { fallback }] of Object.entries(KEYS)) {
    origins[name] = { text: fallback, origin: 'default', isPrivate: false };
  }

  const read = (path: string): readonly Finding[] => {
    const { text, isPrivate, findings: unread } = readText(path, wasAskedFor && path === file);
    const { assignments, complaints } = parseAssignments(text);
    const bad = complaints.map(({ line, message }) => errorAt(line, `${path}:${line}: ${message}`));
    const unusable = assignments.flatMap(({ key, value: given, line }): Finding[] => {
      const origin = `${path}:${line}`;
      if (!isKey(key)) return [{ line, isError: false, text: () => unknownKey(key, origin) }];
      const value = readValue(key, given);
      if (value === undefined) {
        return [errorAt(line, `${origin}: ${key}=${shorten(given)}: expected ${KEYS[key].expected}`)];
      }
      values[key] = value;
      origins[key] = { text: given, origin, isPrivate };
      return [];
    });
    const found = [...bad, ...unusable].sort((a, b) => a.line - b.line);
    return [...unread, ...(isPrivate ? found.map((finding) => withoutText(finding, path)) : found)];
  };
  const dropIns = dropInsOf(`${file}.d`);
  const findings = [...dropIns.findings, ...[file, ...dropIns.paths].flatMap(read)];

  const problems = textsOf(findings);
  if (findings.some(({ isError }) => isError)) throw new ConfigError(problems);
  const config = Object.freeze({ values: Object.freeze(values) as Values, origins: origins as Config['origins'] });
  return { ...config, warnings: [...problems, ...contradictions(config)] };
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
  throw new ConfigError([`${origin}: KSM_POLICY=${text}: ${obstacle}`, ...config.warnings]);
}

/** Every effective value and where it came from, one line each. */
export function formatConfig({ origins }: Config): string {
  const rows = Object.entries(origins).map(([name, { text, origin }]) => {
    return [`${name}=${valueWord(text)}`, origin] as const;
  });
  const width = Math.max(...rows.map(([assignment]) => assignment.length));
  return rows.map(([assignment, origin]) => `${assignment.padEnd(width)}  # ${origin}`).join('\n');
}

/** Values that are each possible, and together or in their sign hardly meant. */
function contradictions({ values, origins }: Pick<Config, 'values' | 'origins'>): string[] {
  const { KSM_NPAGES_MIN: least, KSM_NPAGES_MAX: most, KSM_NPAGES_DECAY: decay, KSM_NPAGES_BOOST: boost } = values;
  const { origin: bounds } =
    origins.KSM_NPAGES_MIN.origin === 'default' ? origins.KSM_NPAGES_MAX : origins.KSM_NPAGES_MIN;
  const place = (key: KeyName) => origins[key].origin;
  const findings: readonly (readonly [boolean, string])[] = [
    [
      least > most,
      `${bounds}: KSM_NPAGES_MIN (${least}) is above KSM_NPAGES_MAX (${most}): pages_to_scan will alternate between them, as with ksmtuned`,
    ],
    [
      least <= most && most === 0,
      `${place('KSM_NPAGES_MAX')}: KSM_NPAGES_MAX is 0: while the policy ksmtuned merges, ksmd scans nothing`,
    ],
    [
      decay > 0,
      `${place('KSM_NPAGES_DECAY')}: KSM_NPAGES_DECAY (${decay}) is above 0: ksmd gets faster while memory is not short; is a minus missing?`,
    ],
    [
      boost < 0,
      `${place('KSM_NPAGES_BOOST')}: KSM_NPAGES_BOOST (${boost}) is below 0: ksmd gets slower while memory is short`,
    ],
  ];
  return findings.flatMap(([holds, text]) => (holds ? [text] : []));
}

function isKey(name: string): name is KeyName {
  return Object.hasOwn(KEYS, name);
}

function unknownKey(key: string, origin: string): string {
  const hint = didYouMean(key, Object.keys(KEYS));
  return `${origin}: unknown key ${shorten(key)}${hint} (ignored)`;
}

function shorten(text: string): string {
  return text.length > 60 ? `${text.slice(0, 60)}...` : text;
}

function errorAt(line: number, text: string): Finding {
  return { line, isError: true, text: () => text };
}

interface FileText {
  readonly text: string;
  /** Whether not everybody may read it. */
  readonly isPrivate: boolean;
  readonly findings: readonly Finding[];
}

/** @param isAskedFor it is an error when it is not there. */
function readText(path: string, isAskedFor: boolean): FileText {
  try {
    const text = readPlain(path, LARGEST_BYTES).toString('utf8');
    return { text, isPrivate: (statSync(path).mode & 0o004) === 0, findings: [] };
  } catch (error) {
    const missing = isAskedFor && errnoOf(error) === 'ENOENT';
    const findings = missing ? [errorAt(0, `${path}: there is no such file`)] : unreadable(path, error);
    return { text: '', isPrivate: false, findings };
  }
}

/** Problems are shown to anybody on the bus: of a file that not everybody may read the line, and not what it says. */
function withoutText({ line, isError }: Finding, path: string): Finding {
  const verdict = isError ? 'is not as expected' : 'is ignored';
  return { line, isError, text: () => `${path}:${line}: ${verdict}; not shown, as not everybody may read the file` };
}

/** Whether a file of that name in FILE.d belongs to the configuration. */
export function isDropIn(name: string): boolean {
  return name.endsWith('.conf') && !name.startsWith('.');
}

function dropInsOf(directory: string): { paths: readonly string[]; findings: readonly Finding[] } {
  try {
    const names = readdirSync(directory).filter(isDropIn);
    return { paths: names.sort().map((name) => join(directory, name)), findings: [] };
  } catch (error) {
    return { paths: [], findings: unreadable(directory, error) };
  }
}

/** What is not there is no fault. */
function unreadable(path: string, error: unknown): readonly Finding[] {
  const errno = errnoOf(error);
  return errno === 'ENOENT' ? [] : [errorAt(0, `${path}: cannot be read (${errno ?? messageOf(error)})`)];
}
