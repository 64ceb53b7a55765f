import { HOLD_KINDS } from '../../core/hold.js';
import type { Facts } from '../facts.js';
import { type Family, byLabel, counter, gauge, info, oneOf } from '../family.js';
import { type Connection, PEERS } from '../tally.js';

// samepaged itself: whether it runs, how it is configured, whom it is connected to.

export function buildInfo(version: string): Family {
  return info('samepaged_build_info', 'The version of samepaged', { version });
}

export function standingBy(value: 0 | 1): Family {
  return gauge(
    'samepaged_standing_by',
    'Whether samepaged waits because another program tunes KSM (--stand-by)',
    value,
  );
}

export function up(value: 0 | 1): Family {
  return gauge('samepaged_up', 'Whether samepaged runs; 0 is what samepagectl metrics writes when it does not', value);
}

export function samepaged({ state, tally: { connections }, isConfigurationValid }: Facts): readonly Family[] {
  const { version, policy, configuredPolicy: configured, dryRun, hold } = state;
  const ofPeers = (pick: (connection: Connection) => number) =>
    Object.fromEntries(
      PEERS.flatMap((peer) => {
        const connection = connections[peer];
        return connection === undefined ? [] : [[peer, pick(connection)]];
      }),
    );
  return [
    up(1),
    buildInfo(version),
    standingBy(0),
    info('samepaged_policy_info', 'The policy in force, and the one that the configuration names', {
      policy,
      configured,
    }),
    gauge(
      'samepaged_configuration_valid',
      'Whether the configuration could be taken when it was read last; 0 leaves the one before it in force',
      Number(isConfigurationValid),
    ),
    gauge('samepaged_dry_run', 'Whether samepaged writes nothing to the kernel', Number(dryRun)),
    oneOf('samepaged_hold', 'Whether an administrator holds merging, by kind of hold', 'kind', HOLD_KINDS, hold?.kind),
    byLabel(
      gauge('samepaged_connected', 'Whether D-Bus and libvirt are connected; one that is not used is left out'),
      'peer',
      ofPeers(({ isUp }) => Number(isUp)),
    ),
    byLabel(
      counter('samepaged_reconnects_total', 'How often a lost connection came back'),
      'peer',
      ofPeers(({ reconnects }) => reconnects),
    ),
  ];
}
