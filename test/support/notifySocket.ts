import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Child } from './child.js';
import { eventually } from './daemon.js';
import { removeScratch, scratchDirectory } from './scratch.js';

/** Prints each datagram as a line, its assignments with tabs between them. Node cannot receive these. */
const RECEIVER = `
  socket(my $s, AF_UNIX, SOCK_DGRAM, 0) or die $!;
  bind($s, sockaddr_un($ARGV[0])) or die $!;
  $| = 1;
  while (defined recv($s, my $text, 65536, 0)) { chomp $text; $text =~ tr/\\n/\\t/; print "$text\\n" }`;

/** The socket on which a service manager is told news, as sd_notify(3) describes it. */
export class NotifySocket implements AsyncDisposable {
  readonly directory: string;
  readonly path: string;
  private readonly receiver: Child;

  private constructor(directory: string) {
    this.directory = directory;
    this.path = join(directory, 'notify');
    this.receiver = Child.start('perl', ['-MSocket', '-e', RECEIVER, this.path], { log: this.log });
  }

  /** Receives when it resolves. */
  static async open(): Promise<NotifySocket> {
    const socket = new NotifySocket(await scratchDirectory('notify'));
    await socket.receiver.until(() => existsSync(socket.path));
    return socket;
  }

  /** What was told so far, without systemd-notify's own BARRIER=1. */
  get notices(): string[] {
    const lines = readFileSync(this.log, 'utf8').split('\n').slice(0, -1);
    return lines.filter((line) => line !== 'BARRIER=1');
  }

  /** How often WATCHDOG=1 was told. */
  get signsOfLife(): number {
    return this.notices.filter((notice) => notice.startsWith('WATCHDOG=1')).length;
  }

  /** The first notice that begins like this. */
  async notice(start: string): Promise<string> {
    return eventually(
      () => this.notices.find((notice) => notice.startsWith(start)),
      () => `no notice begins with ${start} in:\n${this.notices.join('\n')}`,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.receiver.kill();
    await removeScratch(this.directory);
  }

  private get log(): string {
    return join(this.directory, 'notices');
  }
}
