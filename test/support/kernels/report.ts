/** What is to be done inside a booted kernel; in its initramfs as /lab/plan.json. */
export interface Plan {
  readonly cases: readonly CaseSpec[];
  /** MiB of each guest by kind of page. */
  readonly guestMiB: Readonly<Record<PageKind, number>>;
  /** Once that part of each kind is saved, a case need not go on. */
  readonly enough: Readonly<Record<Exclude<PageKind, 'unique'>, number>>;
  /** How long a slow machine may take for a step. */
  readonly stepSeconds: number;
  /** To be read, as KernelFacts.files has them. */
  readonly files: readonly string[];
}

export type PageKind = 'common' | 'unique' | 'zero';

export type Saved = Readonly<Record<PageKind, number>>;

export interface CaseSpec {
  readonly policy: 'ksmtuned' | 'adaptive' | 'advisor';
  readonly hugepages: boolean;
}

/** Files of /sys/kernel/mm/ksm by name, with what they say. */
export type KsmFiles = Readonly<Record<string, string>>;

/** The lines that a booted kernel writes to its console, each with one of these keys. */
export interface Report {
  readonly kernel?: KernelFacts;
  readonly doctor?: DoctorFacts;
  readonly cases: readonly CaseFacts[];
  /** Why the rest is missing. */
  readonly failure?: string;
}

export interface KernelFacts {
  readonly release: string;
  /** As they were at boot. */
  readonly ksm: KsmFiles;
  /** Of /proc/PID, those about KSM. */
  readonly perProcess: readonly string[];
  /** What the kernel shows in the files of the plan; those that it has not are missing. */
  readonly files: Readonly<Record<string, string>>;
  readonly bootSeconds: number;
}

export interface DoctorFacts {
  readonly status: number | null;
  readonly findings: readonly { readonly id: string; readonly level: string; readonly found: string }[];
}

export interface CaseFacts extends CaseSpec {
  /** Nothing of the rest happened: the daemon ended with this status. */
  readonly refused?: { readonly status: number | null; readonly output: string };
  readonly before: KsmFiles;
  readonly after: {
    readonly refusal?: KsmFiles;
    readonly sigterm?: KsmFiles;
    readonly restart?: KsmFiles;
  };
  /** The part of the guests' memory that was in huge pages before. */
  readonly huge?: number;
  /** What of the pages of each kind is gone: a third is left of what three guests have in common. */
  readonly saved?: Saved;
  /** From the start of the daemon until everything that can be saved was. */
  readonly seconds?: number;
  /** The exit status after SIGTERM. */
  readonly status?: number | null;
  /** Of `run`, after SIGKILL. */
  readonly killedRun?: string;
  /** For a failing test's message. */
  readonly log: readonly string[];
}
