import { existsSync, readdirSync } from 'node:fs';
import { type Root, isAbsence, readTextIfThere } from './sysfs.js';

/** A program, beside samepaged, that sets KSM. */
export interface Rival {
  /** Its processes: the executable, or the script that an interpreter runs. */
  readonly processes: readonly string[];
  /** Its systemd services. */
  readonly services: readonly string[];
  /** A command, or as a comment where to switch it off. Services that do nothing else can be disabled, and need none. */
  readonly remedy?: string;
  /** Whether it runs on every node of its cluster, and sets KSM only on those that the cluster's configuration names. */
  readonly isOftenIdle?: boolean;
}

/**
 * Known programs that set KSM, the most frequent first. ksm and ksmtuned come with Red Hat's qemu-kvm-common, Debian's ksmtuned
 * and Proxmox's ksm-control-daemon; MOM and mom-vdsm with oVirt; virt-handler is KubeVirt's, the node manager Harvester's;
 * enable-ksm is NixOS' hardware.ksm.
 */
export const RIVALS: readonly Rival[] = [
  { processes: ['ksmtuned'], services: ['ksm.service', 'ksmtuned.service'] },
  {
    processes: ['momd', 'mom'],
    services: [],
    remedy: "systemctl disable --now mom-vdsm   # oVirt: or the cluster's KSM control off",
  },
  { processes: [], services: ['momd.service', 'mom-vdsm.service'] },
  {
    processes: ['virt-handler'],
    services: [],
    remedy: '# KubeVirt: remove ksmConfiguration from the KubeVirt resource',
    isOftenIdle: true,
  },
  {
    processes: ['harvester-node-manager'],
    services: [],
    remedy: '# Harvester: set run: stop in the Ksmtuned resource of this node',
    isOftenIdle: true,
  },
  {
    processes: [],
    services: ['enable-ksm.service'],
    remedy: '# NixOS: hardware.ksm.enable = false;',
  },
];

/** The processes that set KSM: samepaged and its rivals, in the order in which they are named. */
export const TUNERS: readonly string[] = ['samepaged', ...RIVALS.flatMap(({ processes }) => processes)];

/** Processes that may set KSM here, or may not. */
export const OFTEN_IDLE_TUNERS: readonly string[] = RIVALS.filter(({ isOftenIdle }) => isOftenIdle === true).flatMap(
  ({ processes }) => processes,
);

/** A line of a file that sets KSM when the host boots. */
export interface BootWrite {
  /** FILE:LINE. */
  readonly place: string;
  readonly remedy: string;
}

const TMPFILES = ['/etc/tmpfiles.d', '/run/tmpfiles.d', '/usr/lib/tmpfiles.d'];
/** Ubuntu's qemu-kvm.service sets run and sleep_millisecs by it (/usr/share/qemu/init/qemu-kvm-init). */
const QEMU_KVM = '/etc/default/qemu-kvm';

/** Lines for /sys/kernel/mm/ksm in tmpfiles.d(5), and KSM_ENABLED of Debian's and Ubuntu's qemu-kvm. */
export function readBootWrites(root: Root): readonly BootWrite[] {
  const tmpfiles = TMPFILES.flatMap((directory) =>
    filesOf(`${root}${directory}`)
      .filter((name) => name.endsWith('.conf'))
      .flatMap((name) => linesOf(root, `${directory}/${name}`, /^[a-zA-Z][^\s#]*\s+\/sys\/kernel\/mm\/ksm\//)),
  ).map((place) => ({ place, remedy: `# remove the line ${place}` }));
  const qemuKvm = existsSync(`${root}/usr/share/qemu/init/qemu-kvm-init`)
    ? linesOf(root, QEMU_KVM, /^\s*KSM_ENABLED=["']?(1|AUTO)/i)
    : [];
  return [
    ...tmpfiles,
    ...qemuKvm.map((place) => ({ place, remedy: `sed -i s/^KSM_ENABLED=.*/KSM_ENABLED=0/ ${QEMU_KVM}` })),
  ];
}

/** UKSM, an out-of-tree replacement of KSM, merges by itself beside whatever KSM does. */
export function hasUksm(root: Root): boolean {
  return existsSync(`${root}/sys/kernel/mm/uksm`);
}

function filesOf(directory: string): readonly string[] {
  try {
    return readdirSync(directory).sort();
  } catch (error) {
    if (isAbsence(error)) return [];
    throw error;
  }
}

function linesOf(root: Root, file: string, wanted: RegExp): readonly string[] {
  const lines = (readTextIfThere(`${root}${file}`) ?? '').split('\n');
  return lines.flatMap((line, at) => (wanted.test(line) ? [`${file}:${at + 1}`] : []));
}
