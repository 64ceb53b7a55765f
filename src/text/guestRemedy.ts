import type { GuestManager } from '../core/guest.js';
import { inSentence, shellWord } from './shellWord.js';

/** A guest to be changed. */
export interface ManagedGuest {
  readonly name: string;
  /** The name by which its manager knows it, where that is another. */
  readonly plainName?: string;
  readonly manager: GuestManager;
  /** Its number with Proxmox VE. */
  readonly vmId?: string | undefined;
}

/** What is to be changed of a guest's memory, for its next start; `offer again`: while it runs, through QEMU's monitor. */
export type MemoryChange = 'forbid' | 'allow' | 'no hugepages' | 'no sharing' | 'offer' | 'offer again';

/** The command or the line that changes it, in the words of its manager; undefined where there is none. */
export function memoryRemedy(guest: ManagedGuest, change: MemoryChange): string | undefined {
  const { name, plainName = name, manager, vmId = '' } = guest;
  const word = shellWord(plainName);
  if (change === 'offer again') return `samepagectl guests allow --now -- ${shellWord(name)}   # at once`;
  switch (manager) {
    case 'libvirt':
      return LIBVIRT[change]?.(word);
    case 'session':
      return change === 'offer'
        ? undefined
        : `virsh -c qemu:///session edit -- ${word}   # <memoryBacking>: ${XML[change]}`;
    case 'proxmox':
      return PROXMOX[change]?.(vmId);
    case 'kubevirt':
      return KUBEVIRT[change] === undefined
        ? undefined
        : `# ${name}: in its VirtualMachineInstance ${KUBEVIRT[change]}`;
    case 'cloud-hypervisor':
      return `# ${name}: start it with --memory ${CLOUD_HYPERVISOR[change]}`;
    case 'qemu':
      return QEMU[change] === undefined ? undefined : `# ${name}: start QEMU ${QEMU[change]}`;
    case 'other':
      return undefined;
  }
}

/** What follows for a command that changes guests of this host's libvirt alone: who starts the guest, and how that changes it. */
export function otherManagerAdvice(guest: ManagedGuest, change: 'forbid' | 'allow'): string {
  const { name, manager } = guest;
  const remedy = memoryRemedy(guest, change);
  const owner = `guest ${name} ${OWNERS[manager]}`;
  if (remedy === undefined) return `${owner}, which has no switch for it`;
  return `${owner}; for its next start: ${inSentence(remedy).replace(`${name}: `, '')}`;
}

const OWNERS: Readonly<Record<GuestManager, string>> = {
  libvirt: 'belongs to libvirt',
  session: "belongs to a user's session of libvirt",
  proxmox: 'belongs to Proxmox VE',
  kubevirt: 'belongs to KubeVirt',
  'cloud-hypervisor': 'was started by a command line of cloud-hypervisor',
  qemu: 'was started by a command line of QEMU',
  other: 'was started by another hypervisor',
};

type Texts = Readonly<Record<Exclude<MemoryChange, 'offer' | 'offer again'>, string>>;

const XML: Texts = {
  forbid: '<nosharepages/>',
  allow: 'without <nosharepages/>',
  'no hugepages': 'without <hugepages/>',
  'no sharing': "without <access mode='shared'/>",
};

const LIBVIRT: Readonly<Partial<Record<MemoryChange, (word: string) => string>>> = {
  forbid: (word) => `samepagectl guests forbid -- ${word}`,
  allow: (word) => `samepagectl guests allow -- ${word}`,
  'no hugepages': (word) => `virsh edit -- ${word}   # <memoryBacking>: ${XML['no hugepages']}`,
  'no sharing': (word) => `virsh edit -- ${word}   # <memoryBacking>: ${XML['no sharing']}`,
};

/** qm(1) of Proxmox VE; allow-ksm since 8.4. Its memory is shared where it has a virtiofs share. */
const PROXMOX: Readonly<Partial<Record<MemoryChange, (id: string) => string>>> = {
  forbid: (id) => `qm set ${id} --allow-ksm 0`,
  allow: (id) => `qm set ${id} --allow-ksm 1`,
  'no hugepages': (id) => `qm set ${id} --delete hugepages`,
  'no sharing': (id) => `qm config ${id}   # without virtiofs, and without share=on in args`,
};

/**
 * Of the guests in a cluster only realtime ones have <nosharepages/> (KubeVirt's pkg/virt-launcher/virtwrap/converter); which
 * nodes merge at all is ksmConfiguration's matter.
 */
const KUBEVIRT: Readonly<Partial<Record<MemoryChange, string>>> = {
  forbid: 'spec.domain.cpu.realtime',
  allow: 'no spec.domain.cpu.realtime',
  'no hugepages': 'no spec.domain.memory.hugepages',
  'no sharing': 'no virtiofs in spec.domain.devices.filesystems',
};

const CLOUD_HYPERVISOR: Readonly<Record<Exclude<MemoryChange, 'offer again'>, string>> = {
  forbid: 'mergeable=off',
  allow: 'mergeable=on',
  'no hugepages': 'hugepages=off',
  'no sharing': 'shared=off',
  offer: 'mergeable=on',
};

const QEMU: Readonly<Partial<Record<MemoryChange, string>>> = {
  forbid: 'with -machine mem-merge=off',
  allow: 'without mem-merge=off',
  'no hugepages': 'without hugetlb=on and -mem-path',
  'no sharing': 'with share=off',
};
