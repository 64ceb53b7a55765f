import { readFileSync } from 'node:fs';
import { appendFile, chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findDaemons } from '../../../src/host/daemons.js';
import type { Values } from '../../../src/config/keys.js';
import type { KsmSettings } from '../../../src/core/ksm.js';
import type { Settings } from '../../support/agentHost.js';
import { DaemonProcess, eventually } from '../../support/daemon.js';
import { obtainKsmtuned } from '../../support/ksmtunedScript.js';
import type { Lab } from '../../support/kvm/lab.js';
import { ManagerClient } from '../../support/dbus/managerClient.js';
import { isAlive } from '../../support/scratch.js';
import { residentBytes } from '../figures.js';
import type { Usage } from './figures.js';
import type { KsmControl } from './ksmControl.js';
import type { Tuner } from './tuners.js';

/** A tuner at work. */
export interface RunningTuner {
  /** Undefined for one that is the kernel alone. */
  usage(): Usage | undefined;
  /** What it says itself was saved; undefined for one that says nothing. */
  told(): Promise<Told | undefined>;
  /** KSM stays as it is then. */
  stop(): Promise<void>;
}

/** As samepaged has it on D-Bus, in bytes. */
export interface Told {
  readonly sharedBytes: number;
  readonly zeroBytes: number;
  readonly freedBytes: number;
}

type SamepagedTuner = Extract<Tuner, { kind: 'samepaged' }>;

/** What a tuner finds. */
export interface TunerHost {
  readonly ksm: KsmControl;
  readonly lab: Lab;
  /** KSM_THRES_*: the same for every tuner. */
  readonly reserve: Settings;
  readonly cpuMaxPercent: number;
  /** What samepaged logs is appended to it. */
  readonly logFile: string | undefined;
}

const CLOCK_TICK_MILLIS = 10;
const KSMTUNED_PATTERN = "'^qemu-system.*-enable-kvm'";
/** However libvirt names the accelerator. */
const REPAIRED_PATTERN = "'^([^ ]*/)?qemu-(system-|kvm)'";
/** $1 is the file to be seen as /etc/ksmtuned.conf, $2 the script: in a mount namespace of its own, so that /etc is changed for it alone. */
const OWN_ETC = `set -eu
mkdir -p /run/ksmtuned/upper /run/ksmtuned/work
mount -t overlay -o lowerdir=/etc,upperdir=/run/ksmtuned/upper,workdir=/run/ksmtuned/work overlay /etc
cp "$1" /etc/ksmtuned.conf
exec "$2" </dev/null >/dev/null 2>&1`;

export function startTuner(tuner: Tuner, host: TunerHost): Promise<RunningTuner> {
  switch (tuner.kind) {
    case 'kernel':
      return startKernel(tuner.settings, host);
    case 'samepaged':
      return startSamepaged(tuner, host);
    case 'script':
      return startScript(tuner.repaired, host);
  }
}

async function startKernel(settings: KsmSettings, { ksm }: TunerHost): Promise<RunningTuner> {
  await ksm.apply(settings);
  return { usage: () => undefined, told: () => Promise.resolve(undefined), stop: () => ksm.stop() };
}

/** The built daemon, on the lab's bus. It has libvirt when this resolves. */
export async function startSamepaged(
  { policy, settings }: Pick<SamepagedTuner, 'policy' | 'settings'>,
  { lab, reserve, cpuMaxPercent, logFile }: Omit<TunerHost, 'ksm'>,
): Promise<RunningTuner> {
  const directory = lab.bus.directory;
  const config = join(directory, 'samepaged.conf');
  await writeFile(config, configuration({ ...reserve, ...samepagedSettings(policy, cpuMaxPercent), ...settings }));
  const args = ['--bus', lab.address, '--config', config];
  const daemon = DaemonProcess.start(args, { STATE_DIRECTORY: join(directory, 'state') });
  try {
    await daemon.line(/libvirt is connected/);
  } catch (error) {
    await daemon.end('SIGKILL');
    throw error;
  }
  return {
    usage: () => usageOf(daemon.pid),
    told: () => told(lab),
    stop: async () => {
      const status = await daemon.end();
      if (logFile !== undefined) await appendFile(logFile, daemon.output);
      if (status !== 0) throw new Error(`samepaged ended with ${String(status)}:\n${daemon.output}`);
    },
  };
}

async function told(lab: Lab): Promise<Told> {
  const bus = await lab.bus.connect();
  try {
    const { SharedBytes, ZeroBytes, FreedBytes } = await (await ManagerClient.on(bus)).properties();
    return { sharedBytes: Number(SharedBytes), zeroBytes: Number(ZeroBytes), freedBytes: Number(FreedBytes) };
  } finally {
    bus.disconnect();
  }
}

/** The real script in the lab's namespaces. Its loop runs when this resolves; it looks first after a whole interval. */
async function startScript(repaired: boolean, { lab, reserve }: TunerHost): Promise<RunningTuner> {
  const directory = join(lab.bus.directory, 'ksmtuned');
  await mkdir(directory, { recursive: true });
  const [config, script] = [join(directory, 'ksmtuned.conf'), join(directory, 'ksmtuned')];
  const original = await readFile(await obtainKsmtuned(), 'utf8');
  if (!original.includes(KSMTUNED_PATTERN)) throw new Error('ksmtuned: not the script whose pattern is known here');
  await writeFile(script, repaired ? original.replace(KSMTUNED_PATTERN, REPAIRED_PATTERN) : original);
  await chmod(script, 0o755);
  await writeFile(config, configuration(reserve));
  await lab.run('unshare', '--mount', '--propagation', 'private', 'sh', '-c', OWN_ETC, 'sh', config, script);
  const pid = await eventually(async () => (await findDaemons('', ['ksmtuned']))[0]?.pid);
  return { usage: () => usageOf(pid), told: () => Promise.resolve(undefined), stop: () => endWithChildren(pid) };
}

/** Besides the reserve; everything else is at its default. */
export function samepagedSettings(policy: Values['KSM_POLICY'], cpuMaxPercent: number): Settings {
  return { PIDFILE: '', KSM_POLICY: policy, ...(policy === 'ksmtuned' ? {} : { KSM_CPU_MAX: cpuMaxPercent }) };
}

function configuration(settings: Settings): string {
  return Object.entries(settings)
    .map(([key, value]) => `${key}=${value}\n`)
    .join('');
}

/** CPU time with that of its ended children, memory with that of its living ones. @throws Error when it has ended. */
function usageOf(pid: number): Usage {
  // After the name, which may hold anything: state is field 3, utime stime cutime cstime are 14 to 17 (proc(5)).
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ').at(-1)?.split(' ') ?? [];
  const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
  const resident = [pid, ...childrenOf(pid)].map((process) => residentBytes(process));
  return { cpuMillis: ticks * CLOCK_TICK_MILLIS, residentBytes: resident.reduce((sum, bytes) => sum + bytes, 0) };
}

function childrenOf(pid: number): number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  return text === '' ? [] : text.split(' ').map(Number);
}

/** The script has no end of its own; killed, it would leave its `sleep` behind. */
async function endWithChildren(pid: number): Promise<void> {
  const all = [pid, ...childrenOf(pid)];
  for (const process_ of all) process.kill(process_, 'SIGTERM');
  await eventually(() => !all.some(isAlive));
}
