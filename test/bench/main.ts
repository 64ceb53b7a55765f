import { parseArgs } from 'node:util';
import { obtainKsmtuned, timeKsmtunedAdjust } from '../support/ksmtunedScript.js';
import { installedBytes, residentAfter, startUpMillis } from './footprint.js';
import { eventLatency } from './latency.js';
import { policyCost } from './policyCost.js';
import { retuneCpuMillis } from './retuneCost.js';
import { searchCpuPercent } from './searchCost.js';

/** `npm run bench`: every figure of docs/figures.md, measured here and now, side by side. Not a test: it judges nothing. */

const { values } = parseArgs({
  options: {
    starts: { type: 'string', default: '200' },
    retunes: { type: 'string', default: '500' },
    minutes: { type: 'string', default: '10' },
    json: { type: 'boolean', default: false },
  },
});

const POLICY_SECONDS = 60;
const OTHER_PROCESSES = 400;
const figures: Record<string, string> = {};
function figure(name: string, value: string): void {
  figures[name] = value;
  if (!values.json) process.stdout.write(`${name.padEnd(64)} ${value}\n`);
}
const note = (text: string) => process.stderr.write(`  ... ${text}\n`);

const latency = await eventLatency(Number(values.starts));
figure(`libvirt event to value written, ${values.starts} starts: median`, `${latency.medianMillis.toFixed(1)} ms`);
figure(`libvirt event to value written, ${values.starts} starts: p99`, `${latency.p99Millis.toFixed(1)} ms`);

for (const source of ['libvirt', 'proc'] as const) {
  for (const guests of [1, 100, 1000]) {
    const millis = await retuneCpuMillis(source, guests, Number(values.retunes));
    figure(`CPU of one retune, ${guests} guests from ${source}`, `${millis.toFixed(2)} ms`);
  }
}
for (const phase of ['burst', 'rest'] as const) {
  const { cpuPercent, wakeUpsPerMinute } = await policyCost(phase, POLICY_SECONDS);
  const name = `adaptive, 8 guests from libvirt, ${phase === 'burst' ? 'in a burst' : 'at rest'}`;
  figure(`CPU of ${name}`, `${cpuPercent.toFixed(3)} % of a core`);
  figure(`wake-ups of ${name}`, `${wakeUpsPerMinute.toFixed(0)} a minute`);
}
for (const turnMillis of [10_000, 100]) {
  const percent = await searchCpuPercent(OTHER_PROCESSES, turnMillis, POLICY_SECONDS);
  const name = `search for guests without libvirt, ${OTHER_PROCESSES} other processes`;
  figure(`CPU of the ${name}, one begins each ${turnMillis / 1000} s`, `${percent.toFixed(3)} % of a core`);
}
const { cpuMillisPerAdjust } = await timeKsmtunedAdjust(await obtainKsmtuned(), 100);
figure("CPU of one adjust of ksmtuned's (it finds no guest here)", `${cpuMillisPerAdjust.toFixed(2)} ms`);

figure('start to first decision written: median of 20', `${(await startUpMillis(20)).toFixed(0)} ms`);
figure('installed, without development dependencies', `${(installedBytes() / 1e6).toFixed(1)} MB`);
const resident = await residentAfter(Number(values.minutes), note);
figure(`resident memory after ${values.minutes} min, a retune a second`, `${(resident / 1e6).toFixed(1)} MB`);
if (values.json) process.stdout.write(`${JSON.stringify(figures, undefined, 2)}\n`);
