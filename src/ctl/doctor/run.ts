import { gatherBusFacts, unaskedBus } from '../../doctor/busFacts.js';
import { valueOf } from '../../doctor/check.js';
import { examine } from '../../doctor/examine.js';
import { factsOf, gatherHostFacts } from '../../doctor/facts.js';
import { findingsAsJson, formatFindings } from './screen.js';
import { hostOf } from '../hostRoot.js';
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
  const findings = examine(factsOf(hostFacts, busFacts));
  return {
    status: findings.some(({ level }) => level === 'problem') ? PROBLEM_STATUS : 0,
    output: json ? findingsAsJson(findings) : formatFindings(findings, terminal),
  };
}
