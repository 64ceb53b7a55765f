import type { Architecture } from './apt.js';

/** A kernel of Debian's that the tests can boot. */
export interface TestKernel {
  /** As SAMEPAGED_KERNELS has it. */
  readonly name: string;
  readonly suite: string;
  readonly architecture: Architecture;
  /** Stands for the newest package of that kernel. */
  readonly metaPackage: string;
  readonly release: RegExp;
  readonly pageBytes: number;
  readonly hasAdvisor: boolean;
  /** The tree in fixtures/hosts that is said to be such a host. */
  readonly fixture?: string;
}

const ON_A_PC = { architecture: 'amd64', metaPackage: 'linux-image-cloud-amd64', pageBytes: 4096 } as const;
const NEWER_THAN_6_12 = /^(6\.(1[3-9]|[2-9]\d)|[7-9])\./;

export const KERNELS: readonly TestKernel[] = [
  { ...ON_A_PC, name: '5.10', suite: 'bullseye', release: /^5\.10\./, hasAdvisor: false, fixture: 'kernel-5.10' },
  { ...ON_A_PC, name: '6.1', suite: 'bookworm', release: /^6\.1\./, hasAdvisor: false, fixture: 'kernel-6.1' },
  { ...ON_A_PC, name: '6.12', suite: 'trixie', release: /^6\.12\./, hasAdvisor: true, fixture: 'kernel-6.12' },
  { ...ON_A_PC, name: 'backports', suite: 'trixie-backports', release: NEWER_THAN_6_12, hasAdvisor: true },
  {
    name: 'arm64-16k',
    suite: 'trixie',
    architecture: 'arm64',
    metaPackage: 'linux-image-arm64-16k',
    release: /^6\.12\..*-16k$/,
    pageBytes: 16384,
    hasAdvisor: true,
    fixture: 'arm64-16k',
  },
];

/** The one that `npm test` boots: where fixture trees once hid that nothing merged. */
export const SHORT_KERNEL = '6.12';
