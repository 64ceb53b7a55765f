import { existsSync } from 'node:fs';
import { gatherBusFacts, unaskedBus } from '../../doctor/busFacts.js';
import { valueOf } from '../../doctor/check.js';
import { examine } from '../../doctor/examine.js';
import { absent, type Fact, learnIfThere } from '../../doctor/fact.js';
import { type HostFacts, type PolicyTrial, factsOf, gatherHostFacts } from '../../doctor/facts.js';
import { findingsAsJson, formatFindings } from './screen.js';
import { hostOf } from '../hostRoot.js';
import type { Root } from '../../host/sysfs.js';
import { stateDirectory } from '../../state/directory.js';
import { historyPath } from '../../state/history/file.js';
import type { VerbInput, VerbResult } from '../verb.js';

/** A problem was found. */
const PROBLEM_STATUS = 1;

export async function run({ json, libvirt, terminal, ...input }: VerbInput): Promise<VerbResult> {
  const { root, bus } = hostOf(input);
  const busFacts =
    bus === undefined
      ? unaskedBus('with --root the bus is asked only where --bus names one')
      : await gatherBusFacts(bus, libvirt);
  const hostFacts = await gatherHostFacts(root, valueOf(busFacts.daemon)?.configFile);
  const findings = examine(factsOf(hostFacts, busFacts, await triedPolicy(root, hostFacts)));
  return {
    status: findings.some(({ level }) => level === 'problem') ? PROBLEM_STATUS : 0,
    output: json ? findingsAsJson(findings) : formatFindings(findings, terminal),
  };
}

/** The time that the trial of another policy may take. */
const TRIAL_MILLIS = 1000;

/** The code of replays is loaded only where there is a history. */
async function triedPolicy(root: Root, { configuration }: HostFacts): Promise<Fact<PolicyTrial>> {
  const path = historyPath(stateDirectory(root));
  const isSound = configuration.state === 'known' && configuration.value.errors.length === 0;
  if (!isSound || !existsSync(path)) return absent(NOT_ENOUGH);
  const [{ readOwnHistory }, { policyTrial }] = await Promise.all([
    import('../../replay/input.js'),
    import('../../replay/policyTrial.js'),
  ]);
  return learnIfThere(() => policyTrial(readOwnHistory(path), configuration.value.values, TRIAL_MILLIS), NOT_ENOUGH);
}

const NOT_ENOUGH = 'not enough recorded';
