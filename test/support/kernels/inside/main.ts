import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { release, uptime } from 'node:os';
import type { CaseFacts, CaseSpec, KernelFacts, KsmFiles, Plan } from '../report.js';
import { Guests } from './guests.js';
import { ksmFile, ksmFiles, ksmSettings, startOver, within } from './ksm.js';
import { doctor, Samepaged } from './samepaged.js';

// Runs inside a test kernel as the only program: does what the plan says, and writes what it found to the console, one line
// for each part, so that a part that hangs hides none of those before it. It judges nothing.

const plan = JSON.parse(readFileSync('/lab/plan.json', 'utf8')) as Plan;

function report(part: object): void {
  process.stdout.write(`@${JSON.stringify(part)}\n`);
}

function kernelFacts(): KernelFacts {
  const perProcess = readdirSync('/proc/self').filter((name) => name.startsWith('ksm'));
  const files = Object.fromEntries(
    plan.files.filter((path) => existsSync(path)).map((path) => [path, readFileSync(path, 'utf8')]),
  );
  return { release: release(), ksm: ksmFiles(), perProcess: perProcess.sort(), files, bootSeconds: uptime() };
}

async function runCase(spec: CaseSpec): Promise<CaseFacts> {
  startOver();
  const guests = await Guests.start(plan.guestMiB, spec.hugepages);
  try {
    const before = ksmSettings();
    if (spec.policy === 'advisor' && before['advisor_mode'] === undefined) return await refusedCase(spec, before);
    const merged = await merge(spec, guests);
    const killed = await kill(spec);
    return { ...spec, before, ...merged, ...killed, after: { ...merged.after, ...killed.after } };
  } finally {
    await guests.stop();
  }
}

async function refusedCase(spec: CaseSpec, before: KsmFiles): Promise<CaseFacts> {
  const daemon = Samepaged.start(spec.policy);
  const status = await daemon.end();
  const refused = { status, output: daemon.log.join('\n') };
  return { ...spec, before, refused, after: { refusal: ksmSettings() }, log: [] };
}

type Merged = Pick<CaseFacts, 'huge' | 'saved' | 'seconds' | 'status' | 'after' | 'log'>;

async function merge({ policy }: CaseSpec, guests: Guests): Promise<Merged> {
  const huge = guests.huge();
  const began = performance.now();
  const daemon = Samepaged.start(policy);
  const { common, zero } = plan.enough;
  let saved = guests.saved();
  await within(plan.stepSeconds, () => {
    saved = guests.saved();
    return !daemon.running || (saved.common >= common && saved.zero >= zero);
  });
  const seconds = (performance.now() - began) / 1000;
  const log = [...daemon.log, ...Object.entries(ksmFiles()).map((file) => file.join('='))];
  const status = await daemon.end('SIGTERM');
  return { huge, saved, seconds, status, log, after: { sigterm: ksmSettings() } };
}

async function kill({ policy }: CaseSpec): Promise<Pick<CaseFacts, 'killedRun' | 'after'>> {
  startOver();
  const daemon = Samepaged.start(policy);
  // It is written last. A burst may be over soon.
  await within(plan.stepSeconds, () => !daemon.running || ksmFile('run') === '1');
  await daemon.end('SIGKILL');
  const killedRun = ksmFile('run');
  const next = Samepaged.start(policy);
  await within(plan.stepSeconds, () => !next.running || next.decided);
  await next.end('SIGTERM');
  return { killedRun, after: { restart: ksmSettings() } };
}

try {
  for (const directory of ['/run', '/tmp', '/var/lib/samepaged']) mkdirSync(directory, { recursive: true });
  report({ kernel: kernelFacts() });
  report({ doctor: await doctor() });
  for (const spec of plan.cases) report({ case: await runCase(spec) });
  report({ done: true });
} catch (error) {
  report({ failure: error instanceof Error ? error.stack : String(error) });
}
process.exit();
