import { clean } from '../text/clean.js';
import type { Description, Hypervisor } from './hypervisor.js';
import { LONGEST_NAME, memoryBytes } from './memorySize.js';
import { traitsOfCommandLine } from './qemuMemory.js';
import { firstOf, propertiesOf } from './qemuOptions.js';

/**
 * The files of a QEMU system emulator: qemu-system-x86_64, qemu-kvm (RHEL's /usr/libexec/qemu-kvm), kvm (Proxmox, and Debian's
 * old link), kvm-spice (Ubuntu's), .qemu-system-x86_64-wrapped (NixOS).
 */
export const QEMU: Hypervisor = {
  program: /^(\.?qemu-system-[\w-]+|\.?qemu-kvm(-wrapped)?|kvm|kvm-spice)$/,
  describe: guestOf,
  traits: traitsOfCommandLine,
};

/**
 * The guest that a QEMU command line describes; undefined when it is none: a question (`-version`, `-machine help`), libvirt's
 * look at what QEMU can do (`-machine none`).
 *
 * Proxmox lets guests have the same name and tells them apart by `-id`, so there the name is "web (100)". KubeVirt's are
 * "NAMESPACE/NAME". Any user may start QEMU and name it as he likes: the name is cleaned for a terminal.
 */
function guestOf(argv: readonly string[], pid: number): Description | undefined {
  const machines = propertiesOf(argv, 'type', 'machine', 'M').map((machine) => machine.get('type'));
  const isQuestion = argv.some((word) => /^--?(version|help|h)$/.test(word));
  if (isQuestion || machines.includes('none') || machines.includes('help')) return undefined;

  const uuid = firstOf(argv, 'uuid', 'uuid');
  const plain = clean(firstOf(argv, 'guest', 'name') ?? uuid ?? `qemu-${pid}`).slice(0, LONGEST_NAME);
  const vmId = numberOf(firstOf(argv, 'id', 'id'));
  const size = firstOf(argv, 'size', 'm');
  const shown = vmId === undefined ? nameInCluster(argv, plain) : clean(`${plain} (${vmId})`).slice(0, LONGEST_NAME);
  return {
    name: shown,
    ...(shown === plain ? {} : { plainName: plain }),
    ...(vmId === undefined ? {} : { vmId }),
    ...(uuid === undefined ? {} : { uuid: uuid.toLowerCase() }),
    configuredBytes: size === undefined ? 0 : memoryBytes(size),
  };
}

/** What Proxmox VE calls a guest by, and no other word: it stands in commands that a person will paste. */
function numberOf(id: string | undefined): string | undefined {
  return id !== undefined && /^\d{1,9}$/.test(id) ? id : undefined;
}

/** In every pod of a virtual machine (virt-launcher), and so in the paths of its QEMU's command line. */
const KUBEVIRT_DIRECTORY = '/run/kubevirt';

/** KubeVirt calls its domains NAMESPACE_NAME. A namespace is a DNS label, which has no underscore. */
function nameInCluster(argv: readonly string[], plain: string): string {
  return argv.some((word) => word.includes(KUBEVIRT_DIRECTORY)) ? plain.replace('_', '/') : plain;
}
