import type { MemoryTraits } from '../core/mergeability.js';

/** What a command line says of the guest that its process runs. */
export interface Description {
  /** For people; others may be called the same. */
  readonly name: string;
  /** The name that the guest was given, where `name` says more than that. */
  readonly plainName?: string;
  /** Its number with the host's manager, as Proxmox gives one. */
  readonly vmId?: string;
  readonly uuid?: string;
  /** Memory it was promised, in bytes; 0 where that is written elsewhere. */
  readonly configuredBytes: number;
}

/** A program that runs guests. */
export interface Hypervisor {
  /** Its files' names. */
  readonly program: RegExp;
  /** Undefined for a process that runs no guest, as one that only answers a question. */
  describe(argv: readonly string[], pid: number): Description | undefined;
  traits(argv: readonly string[]): MemoryTraits;
}
