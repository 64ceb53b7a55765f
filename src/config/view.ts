import { FatalError } from '../errors.js';
import type { KeyName } from './keys.js';
import type { Config } from './load.js';

/** What the files say: a configuration that can be taken, with what was passed over in it; or none, and why. */
export interface ConfigRead {
  readonly config: Config | undefined;
  /** Each with file:line. */
  readonly problems: readonly string[];
}

/** The configuration as it is in force. */
export interface ConfigView {
  /** Every key with its value as text, and where that came from: "default", file:line, or by hand. */
  readonly entries: readonly (readonly [key: string, text: string, origin: string])[];
  /** Keys that the files say something else of by now: a reload takes it. */
  readonly waiting: readonly string[];
  /** What a reload would complain of now. */
  readonly problems: readonly string[];
}

/**
 * @param load reads the files; a FatalError, as ConfigError is one, is a configuration that cannot be taken: what was good
 *   enough to run with goes on.
 */
export async function readConfig(load: () => Config | Promise<Config>): Promise<ConfigRead> {
  try {
    const config = await load();
    return { config, problems: config.warnings };
  } catch (error) {
    if (!(error instanceof FatalError)) throw error;
    return { config: undefined, problems: error.message.split('\n') };
  }
}

/** The entries of a ConfigView; no file is read for them. @param policy the policy that was set by hand, if one was. */
export function entriesOf(config: Config, policy: string | undefined): ConfigView['entries'] {
  return namesOf(config).map((name) => {
    const { text, origin, isPrivate } = config.origins[name];
    if (isPrivate) return [name, '', `${origin}, not shown: not everybody may read that file`];
    return name === 'KSM_POLICY' && policy !== undefined
      ? [name, policy, `set by hand instead of ${text} (${origin})`]
      : [name, text, origin];
  });
}

function namesOf({ origins }: Config): readonly KeyName[] {
  return Object.keys(origins) as KeyName[];
}

/**
 * @param policy the policy that was set by hand, if one was.
 * @param files what they say now.
 */
export function viewOf(config: Config, policy: string | undefined, files: ConfigRead): ConfigView {
  const { origins } = config;
  const fresh = files.config?.origins;
  return {
    entries: entriesOf(config, policy),
    waiting: fresh === undefined ? [] : namesOf(config).filter((name) => fresh[name].text !== origins[name].text),
    problems: files.problems,
  };
}
