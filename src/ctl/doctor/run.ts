import { gatherBusFacts, unaskedBus } from '../../doctor/busFacts.js';
import { examine } from '../../doctor/examine.js';
import { factsOf, gatherHostFacts } from '../../doctor/facts.js';
import { findingsAsJson, formatFindings } from './screen.js';
import { hostOf } from '../hostRoot.js';
import type { VerbInput, VerbResult } from '../verb.js';

/** A problem was found. */
const PROBLEM_STATUS = 1;

export async function run({ json, libvirt, terminal, ...input }: VerbInput): Promise<VerbResult> {
  const { root, bus } = hostOf(input);
  const [hostFacts, busFacts] = await Promise.all([
    gatherHostFacts(root),
    bus === undefined
      ? unaskedBus('with --root the bus is asked only where --bus names one')
      : gatherBusFacts(bus, libvirt),
  ]);
  const findings = examine(factsOf(hostFacts, busFacts));
  return {
    status: findings.some(({ level }) => level === 'problem') ? PROBLEM_STATUS : 0,
    output: json ? findingsAsJson(findings) : formatFindings(findings, terminal),
  };
}
