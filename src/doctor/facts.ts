import { existsSync } from 'node:fs';
import { type Values, defaultValues } from '../config/keys.js';
import { ConfigError, DEFAULT_CONFIG_FILE, loadConfig } from '../config/load.js';
import type { KsmState } from '../core/ksm.js';
import type { MemoryFigures } from '../core/memory.js';
import { type RunningDaemon, findDaemons } from '../host/daemons.js';
import type { GuestProcess } from '../host/guestProcess.js';
import { GuestUsers } from '../host/guestUsers.js';
import { type HugepagePool, readHugepagePools } from '../host/hugepages.js';
import { KsmDirectory } from '../host/ksm.js';
import { libvirtIsHere } from '../host/libvirtHere.js';
import { readMemoryFigures } from '../host/meminfo.js';
import { type FileSystem, readRootFileSystem } from '../host/mounts.js';
import { type NumaNode, readNumaNodes } from '../host/numa.js';
import { hidesProcesses } from '../host/processes.js';
import { type OtherMergers, readOtherMergers } from '../host/otherMergers.js';
import { type BootWrite, TUNERS, hasUksm, readBootWrites } from '../host/rivals.js';
import { isOurAlias, readEnabledServices } from '../host/services.js';
import { type SwapArea, readSwapAreas } from '../host/swap.js';
import { type Root, pageSizeBytes, readText } from '../host/sysfs.js';
import { type TransparentHugepages, readTransparentHugepages } from '../host/transparentHugepages.js';
import type { BusFacts } from './busFacts.js';
import { type Fact, absent, known, learn, learnIfThere, unknown } from './fact.js';
import {
  type GuestFacts,
  type PerProcessFile,
  examineProcesses,
  guestFacts,
  probePerProcessFile,
} from './guestFacts.js';

/** What the configuration says of the things that checks look at; the defaults where it has errors. */
export interface Configuration {
  readonly file: string;
  readonly present: boolean;
  /** Each with file:line. */
  readonly errors: readonly string[];
  readonly warnings: readonly string[];
  readonly values: Values;
}

export interface PageSize {
  readonly bytes: number;
  /** A copy of another host's files does not say, so that 4096 is taken. */
  readonly assumed: boolean;
}

export interface HostFacts {
  readonly kernelRelease: Fact<string>;
  readonly pageSize: Fact<PageSize>;
  readonly ksm: Fact<KsmState>;
  /** Files of /sys/kernel/mm/ksm that this version does not know. */
  readonly unknownKsmFiles: Fact<readonly string[]>;
  readonly perProcessFile: Fact<PerProcessFile>;
  readonly memory: Fact<MemoryFigures>;
  readonly swapAreas: Fact<readonly SwapArea[]>;
  readonly rootFileSystem: Fact<FileSystem>;
  readonly transparentHugepages: Fact<TransparentHugepages>;
  readonly hugepagePools: Fact<readonly HugepagePool[]>;
  readonly numaNodes: Fact<readonly NumaNode[]>;
  /** Processes that run guests. */
  readonly processes: Fact<readonly GuestProcess[]>;
  /** Processes that use KSM and run no guest. */
  readonly otherMergers: Fact<OtherMergers>;
  /** Running programs that set KSM: samepaged and its rivals. */
  readonly tuners: Fact<readonly RunningDaemon[]>;
  readonly numad: Fact<readonly RunningDaemon[]>;
  /** libvirtd and virtqemud. */
  readonly libvirtDaemons: Fact<readonly RunningDaemon[]>;
  /** Whether libvirt is installed or runs. */
  readonly libvirtIsHere: Fact<boolean>;
  /** Whether libvirt's socket is there, so that a call starts the daemon. */
  readonly libvirtSocket: Fact<boolean>;
  readonly enabledServices: Fact<ReadonlySet<string>>;
  /** Lines of files that set KSM when the host boots. */
  readonly bootWrites: Fact<readonly BootWrite[]>;
  /** Whether ksmtuned.service is a name of samepaged.service. */
  readonly ksmtunedIsAlias: Fact<boolean>;
  readonly uksm: Fact<boolean>;
  readonly configuration: Fact<Configuration>;
}

/** What a policy made of a stretch of this host's history, on a simulated host. */
export interface TriedPolicy {
  readonly policy: string;
  /** On average, in bytes. */
  readonly savedBytes: number;
  readonly ksmdCpuNanos: number;
}

/** The policy that was recorded and another one, on the same stretch. */
export interface PolicyTrial {
  readonly millis: number;
  readonly recorded: TriedPolicy;
  readonly other: TriedPolicy;
}

export type Facts = Omit<HostFacts, 'processes'> & BusFacts & GuestFacts & { readonly policyTrial: Fact<PolicyTrial> };

/** All that is known of a host. */
export function factsOf({ processes, ...host }: HostFacts, bus: BusFacts, policyTrial: Fact<PolicyTrial>): Facts {
  return { ...host, ...bus, ...guestFacts(processes, bus.libvirt), policyTrial };
}

/**
 * What the files below `root` tell. Never fails: what cannot be read is unknown, with the reason.
 *
 * @param configFile what the running samepaged reads its configuration from.
 */
export async function gatherHostFacts(root: Root, configFile = `${root}${DEFAULT_CONFIG_FILE}`): Promise<HostFacts> {
  const hidden = hidesProcesses(root);
  const ofProcesses = <T>(read: () => Promise<T>): Promise<Fact<T>> =>
    hidden ? Promise.resolve(unknown<T>(HIDDEN)) : learn(read);
  const ksm = new KsmDirectory(root);
  const configured = await learn(() => configuration(configFile));
  const { KSM_GUEST_USERS: users } = configured.state === 'known' ? configured.value.values : defaultValues();
  const processes = await ofProcesses(() => examineProcesses(root, new GuestUsers(root, () => users)));
  const libvirtDaemons = await ofProcesses(() => findDaemons(root, ['libvirtd', 'virtqemud']));
  return {
    kernelRelease: await learn(() => readText(`${root}/proc/sys/kernel/osrelease`)),
    pageSize: await learn(() => ({
      bytes: pageSizeBytes(root),
      assumed: !existsSync(`${root}/proc/self/auxv`),
    })),
    ksm: await ksmFact(ksm),
    unknownKsmFiles: await learn(() => ksm.unknownFiles()),
    perProcessFile: await ofProcesses(() => probePerProcessFile(root)),
    memory: await learn(() => readMemoryFigures(root)),
    swapAreas: await learn(() => readSwapAreas(root)),
    rootFileSystem: known(readRootFileSystem(root)),
    transparentHugepages: await learnIfThere(
      () => readTransparentHugepages(root),
      'this kernel has no transparent hugepages',
    ),
    hugepagePools: await learn(() => readHugepagePools(root)),
    numaNodes: await learn(() => readNumaNodes(root)),
    processes,
    otherMergers: await otherMergers(root, processes),
    tuners: await ofProcesses(() => findDaemons(root, TUNERS)),
    numad: await ofProcesses(() => findDaemons(root, ['numad'])),
    libvirtDaemons,
    libvirtIsHere: known(libvirtIsHere(root) || (libvirtDaemons.state === 'known' && libvirtDaemons.value.length > 0)),
    libvirtSocket: known(LIBVIRT_SOCKETS.some((socket) => existsSync(`${root}${socket}`))),
    enabledServices: await enabledServices(root),
    bootWrites: await learn(() => readBootWrites(root)),
    ksmtunedIsAlias: await learn(() => isOurAlias(root, 'ksmtuned.service')),
    uksm: known(hasUksm(root)),
    configuration: configured,
  };
}

/** Without its directory a kernel has no KSM; a directory without `run` is one that cannot be read. */
async function ksmFact(ksm: KsmDirectory): Promise<Fact<KsmState>> {
  const absence = ksm.absence();
  if (absence === undefined) return learn(() => ksm.read());
  return existsSync(ksm.path) ? unknown(absence) : absent(`${ksm.path} is not there`);
}

async function otherMergers(root: Root, processes: Fact<readonly GuestProcess[]>): Promise<Fact<OtherMergers>> {
  if (processes.state !== 'known') return processes;
  const pids = new Set(processes.value.map(({ pid }) => pid));
  return learnIfThere(() => readOtherMergers(root, pids), 'this kernel does not tell which processes use KSM');
}

const HIDDEN = 'this /proc hides the processes of other users (hidepid): ask as root';
const LIBVIRT_SOCKETS = ['/run/libvirt/virtqemud-sock', '/run/libvirt/libvirt-sock'];

async function enabledServices(root: Root): Promise<Fact<ReadonlySet<string>>> {
  const fact = await learnIfThere(() => readEnabledServices(root), '');
  return fact.state === 'absent' ? unknown(`${root}/etc/systemd/system is not there`) : fact;
}

function configuration(file: string): Configuration {
  const present = existsSync(file);
  try {
    const { warnings, values } = loadConfig(file, false);
    return { file, present, errors: [], warnings, values };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { file, present, errors: error.message.split('\n'), warnings: [], values: defaultValues() };
  }
}
