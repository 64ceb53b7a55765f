import { KEYS, type Values, readValue } from '../config/keys.js';
import { type Config, DEFAULT_CONFIG_FILE, loadConfig } from '../config/load.js';
import { terminalOf } from '../text/terminal.js';
import { EXIT, FatalError } from '../errors.js';
import { clean, cleanOutput } from '../text/clean.js';
import { readRecording } from './input.js';
import { likenessUnknown } from './passes.js';
import { replay } from './replay.js';
import { report } from './report.js';
import { lengthMillis, splitRecord } from './segments.js';
import { summaryOf } from './summary.js';

export interface ReplayOptions {
  /** The history. */
  readonly path: string;
  readonly configFile: string;
  /** In the place of the one that the configuration has. */
  readonly policy: string | undefined;
}

/**
 * What `samepaged --replay` does: it reads the history and the configuration, writes to stdout and stderr, and nothing else.
 *
 * @throws FatalError when there is nothing to replay, or nothing to replay it with.
 */
export function runReplay({ path, configFile, policy }: ReplayOptions): void {
  // It takes its time and answers no signal meanwhile: let them end it.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.removeAllListeners(signal);
  const configured = loadConfig(configFile);
  for (const warning of configured.warnings) process.stderr.write(`${clean(warning)}\n`);
  const other = policy === undefined ? configured.values : { ...configured.values, KSM_POLICY: policyNamed(policy) };
  // Another policy alone is compared on the configuration given; another configuration with that of this host.
  const recordedConfig = policy === undefined ? DEFAULT_CONFIG_FILE : configFile;
  const asRecorded = recordedConfig === configFile ? configured : loadConfig(recordedConfig);

  const { records, notes } = readRecording(path);
  for (const note of notes) process.stderr.write(`${clean(note)}\n`);
  const segments = splitRecord(records);
  if (segments.every((segment) => lengthMillis(segment) === 0)) {
    throw new FatalError(`${path}: no two samples follow one another: there is nothing to replay`, EXIT.usage);
  }
  const summary = summaryOf(segments);
  const unknown = likenessUnknown(segments);
  // A configuration with the recorded policy differs in something else.
  const isFile = policy === undefined && summary.policies.includes(other.KSM_POLICY);
  process.stdout.write(
    cleanOutput(
      report({
        path,
        summary,
        recordedDecisions: segments.flatMap(({ decisions }) => decisions),
        replay:
          unknown ??
          replay(segments, {
            asRecorded: asRecorded.values,
            other,
            nanosPerPage: summary.ksmd.nanosPerPage,
            onProgress: progressOn(process.stderr),
          }),
        recordedConfig: isDefault(asRecorded) ? "ksmtuned.conf's defaults" : recordedConfig,
        terminal: terminalOf(process.stdout, process.env),
        otherName: isFile ? configFile : other.KSM_POLICY,
      }),
    ),
  );
}

/** On a terminal only: a month of a large host takes minutes. */
function progressOn(stream: NodeJS.WriteStream): (share: number) => void {
  let shown = '';
  return (share) => {
    const text = share < 1 ? `replaying: ${Math.trunc(share * 100)} %` : '';
    if (!stream.isTTY || text === shown) return;
    stream.write(`\r\u001b[K${text}`);
    shown = text;
  };
}

function isDefault({ origins }: Config): boolean {
  return Object.values(origins).every(({ origin }) => origin === 'default');
}

function policyNamed(name: string): Values['KSM_POLICY'] {
  const policy = name === '' ? undefined : readValue('KSM_POLICY', name);
  if (policy !== undefined) return policy;
  throw new FatalError(`--policy ${name}: expected ${KEYS.KSM_POLICY.expected}`, EXIT.usage);
}
