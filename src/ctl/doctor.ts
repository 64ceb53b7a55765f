import { gatherBusFacts, unaskedBus } from '../doctor/busFacts.js';
import { examine } from '../doctor/examine.js';
import { gatherHostFacts } from '../doctor/facts.js';
import { findingsAsJson, formatFindings } from '../doctor/report.js';
import { hostRoot } from './hostRoot.js';
import { OPTIONS, type Verb } from './verb.js';

/** A problem was found. */
const PROBLEM_STATUS = 1;
/** Where stdout is no terminal. */
const USUAL_COLUMNS = 80;

export const doctor: Verb = {
  summary: 'check this host for what keeps KSM from working well',
  options: ['bus', 'json', 'libvirt', 'root'],
  async run({ bus, json, libvirt, root: given }) {
    const root = hostRoot(given);
    const elsewhere = root !== '' && bus === OPTIONS.bus.default;
    const [hostFacts, busFacts] = await Promise.all([
      gatherHostFacts(root),
      elsewhere ? unaskedBus('with --root the bus is asked only where --bus names one') : gatherBusFacts(bus, libvirt),
    ]);
    const findings = examine({ ...hostFacts, ...busFacts });
    return {
      status: findings.some(({ level }) => level === 'problem') ? PROBLEM_STATUS : 0,
      output: json ? findingsAsJson(findings) : formatFindings(findings, terminal()),
    };
  },
};

/** https://no-color.org: colour is off where NO_COLOR is set to anything but nothing. */
function terminal() {
  const { isTTY, columns } = process.stdout;
  return {
    columns: isTTY ? columns : USUAL_COLUMNS,
    colour: isTTY && (process.env['NO_COLOR'] ?? '') === '',
  };
}
