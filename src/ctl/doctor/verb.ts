import { gatherBusFacts, unaskedBus } from '../../doctor/busFacts.js';
import { examine } from '../../doctor/examine.js';
import { factsOf, gatherHostFacts } from '../../doctor/facts.js';
import { findingsAsJson, formatFindings } from './screen.js';
import { hostOf } from '../hostRoot.js';
import type { Verb } from '../verb.js';

/** A problem was found. */
const PROBLEM_STATUS = 1;

export const doctor: Verb = {
  summary: 'what keeps KSM from working well on this host',
  details:
    'Says of each check what was found, why it matters and the command that mends it. Needs no samepaged. The exit status ' +
    'is 1 where there is a problem.',
  options: ['bus', 'json', 'libvirt', 'root'],
  examples: [
    { command: 'samepagectl doctor', does: 'this host' },
    { command: 'samepagectl doctor --root /tmp/host', does: 'another host, from a copy of its /proc and /sys' },
  ],
  async run({ json, libvirt, terminal, ...input }) {
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
  },
};
