import { cpSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** A guest as /proc would show its QEMU process. */
export interface TreeGuest {
  readonly pid: number;
  readonly argv: readonly string[];
  readonly residentKb: number;
  /** The first 15 characters of the executable's name, unless told. */
  readonly comm?: string;
  readonly startTime?: number;
  /** Whom it runs as, by number; not said unless told. */
  readonly user?: number;
}

/** A private copy of one of fixtures/hosts, to be used as `--root`; the files in it are the host's kernel. */
export class HostTree {
  readonly root: string;
  readonly ksmdPid = 37;

  private constructor(root: string) {
    this.root = root;
  }

  static create(host = 'kernel-6.12'): HostTree {
    const root = mkdtempSync(join(tmpdir(), 'samepaged-host-'));
    cpSync(join('fixtures/hosts', host), root, { recursive: true });
    return new HostTree(root);
  }

  /** The trimmed text of a file, by its path below the root. */
  read(path: string): string {
    return readFileSync(join(this.root, path), 'utf8').trim();
  }

  write(path: string, text: string): void {
    const file = join(this.root, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }

  remove(path: string): void {
    rmSync(join(this.root, path), { recursive: true, force: true });
  }

  ksm(file: string): string {
    return this.read(`sys/kernel/mm/ksm/${file}`);
  }

  setKsm(file: string, value: string | number): void {
    this.write(`sys/kernel/mm/ksm/${file}`, `${String(value)}\n`);
  }

  /** Every file of the KSM directory with its content. */
  allKsm(files: readonly string[]): Record<string, string> {
    return Object.fromEntries(files.map((file) => [file, this.ksm(file)]));
  }

  /** Replaces the values of some lines of /proc/meminfo, in kB. */
  setMeminfo(values: Readonly<Record<string, number>>): void {
    let text = `${this.read('proc/meminfo')}\n`;
    for (const [field, kb] of Object.entries(values)) {
      const line = `${field}: ${String(kb)} kB`;
      const there = new RegExp(`^${field}:.*$`, 'm');
      text = there.test(text) ? text.replace(there, line) : `${text}${line}\n`;
    }
    // As a whole: who reads the kernel's never finds it empty.
    this.write('proc/meminfo.new', text);
    renameSync(join(this.root, 'proc/meminfo.new'), join(this.root, 'proc/meminfo'));
  }

  addProcess({ pid, argv, residentKb, comm, startTime = 1000, user }: TreeGuest): void {
    const name = comm ?? (argv[0] ?? '').split('/').at(-1)?.slice(0, 15) ?? '';
    const directory = `proc/${String(pid)}`;
    this.write(`${directory}/comm`, `${name}\n`);
    this.write(`${directory}/cmdline`, argv.map((word) => `${word}\0`).join(''));
    this.write(
      `${directory}/status`,
      `Name:\t${name}\n${user === undefined ? '' : `Uid:\t${user}\t${user}\t${user}\t${user}\n`}VmRSS:\t${String(residentKb)} kB\n`,
    );
    const zeros = Array.from({ length: 17 }, () => '0').join(' ');
    this.write(`${directory}/stat`, `${String(pid)} (${name}) S 1 ${zeros} ${String(startTime)} 0 0\n`);
  }

  /** ksmd, with a policy of sched(7) and a nice value. */
  addKsmd({ policy = 0, nice = 5, flags = 0x208040 }: { policy?: number; nice?: number; flags?: number } = {}): void {
    const zeros = (count: number) => Array.from({ length: count }, () => '0').join(' ');
    const directory = `proc/${String(this.ksmdPid)}`;
    this.write(`${directory}/comm`, 'ksmd\n');
    this.write(
      `${directory}/stat`,
      `${String(this.ksmdPid)} (ksmd) S 2 0 0 0 -1 ${String(flags)} ${zeros(8)} 25 ${String(nice)} ${zeros(21)} ${String(policy)} ${zeros(11)}\n`,
    );
  }

  /** What ksmd has: "other 5". */
  get ksmdSched(): string {
    const fields = this.read(`proc/${String(this.ksmdPid)}/stat`).split(' ');
    return `${{ 0: 'other', 5: 'idle' }[fields[40] ?? ''] ?? ''} ${fields[18] ?? ''}`;
  }

  /** A guest as libvirt would start it. */
  addGuest(pid: number, name: string, residentKb: number, configuredMb = 1024): void {
    const argv = ['/usr/bin/qemu-system-x86_64', '-name', `guest=${name},debug-threads=on`, '-m', String(configuredMb)];
    this.addProcess({ pid, argv, residentKb });
  }

  removeProcess(pid: number): void {
    this.remove(`proc/${String(pid)}`);
  }

  [Symbol.dispose](): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}
