/** A kernel of Debian's for x86-64 that the tests can boot. */
export interface TestKernel {
  /** As SAMEPAGED_KERNELS has it. */
  readonly name: string;
  readonly suite: string;
  readonly release: RegExp;
  readonly hasAdvisor: boolean;
  /** The tree in fixtures/hosts that is said to be such a host. */
  readonly fixture?: string;
}

export const KERNELS: readonly TestKernel[] = [
  { name: '5.10', suite: 'bullseye', release: /^5\.10\./, hasAdvisor: false, fixture: 'kernel-5.10' },
  { name: '6.1', suite: 'bookworm', release: /^6\.1\./, hasAdvisor: false, fixture: 'kernel-6.1' },
  { name: '6.12', suite: 'trixie', release: /^6\.12\./, hasAdvisor: true, fixture: 'kernel-6.12' },
  { name: 'backports', suite: 'trixie-backports', release: /^(6\.(1[3-9]|[2-9]\d)|[7-9])\./, hasAdvisor: true },
];

/** The one that `npm test` boots: where fixture trees once hid that nothing merged. */
export const SHORT_KERNEL = '6.12';
