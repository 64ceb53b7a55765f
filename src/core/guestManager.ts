import { shellWord } from './shellWord.js';

/**
 * Who starts a guest, and so whose words a remedy is in: the host's libvirt, a user's own libvirt (qemu:///session), Proxmox
 * VE, another hypervisor's command line, QEMU's.
 */
export type GuestManager = 'libvirt' | 'session' | 'proxmox' | 'cloud-hypervisor' | 'qemu' | 'other';

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
    case 'cloud-hypervisor':
      return `# ${name}: start it with --memory ${CLOUD_HYPERVISOR[change]}`;
    case 'qemu':
      return QEMU[change] === undefined ? undefined : `# ${name}: start QEMU ${QEMU[change]}`;
    case 'other':
      return undefined;
  }
}

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
