import { createConnection, type Socket } from 'node:net';
import { createInterface, type Interface } from 'node:readline';
import type { GuestContent } from '../../../src/simulation/step.js';
import { guestUuid } from './guest.js';
import type { GuestImage } from './guestImage.js';

/** What its kernel takes, and a little to live on. */
const KERNEL_MIB = 176;
/** Of the common pages of guests without an image; guestInit.c has 2 for pages that are aligned. */
const IMAGELESS_SEED = '1';
/** Of the console, when something goes wrong. */
const SHOWN_LINES = 20;

export interface BootedGuestSpec {
  readonly name: string;
  readonly content: GuestContent;
  /** Memory that it never touches. */
  readonly untouchedMiB?: number;
}

/** What `<memory>` says. */
export function bootedGuestMiB({ content, untouchedMiB = 0 }: BootedGuestSpec): number {
  return content.commonMiB + content.ownMiB + (content.zeroMiB ?? 0) + untouchedMiB + KERNEL_MIB;
}

/**
 * A TCG guest without disk and network that runs guestInit.c, which reads its orders from the kernel's command line; its
 * console is the unix socket. ACPI is what lets it sleep when it has nothing to do.
 */
export function bootedGuestXml(spec: BootedGuestSpec, image: GuestImage, socket: string): string {
  const { name, content } = spec;
  const orders = [
    `COMMON_MIB=${content.commonMiB}`,
    `OWN_MIB=${content.ownMiB}`,
    `COMMON_SEED=${content.image === undefined ? IMAGELESS_SEED : seedOf(`image ${content.image}`)}`,
    `OWN_SEED=${seedOf(name)}`,
    `ZERO_MIB=${content.zeroMiB ?? 0}`,
    `REWRITTEN_MIB_PER_SECOND=${content.rewrittenMiBPerSecond}`,
    `REWRITTEN_ZERO_MIB_PER_SECOND=${content.rewrittenZeroMiBPerSecond ?? 0}`,
  ];
  return `<domain type='qemu'>
  <name>${name}</name>
  <uuid>${guestUuid(name)}</uuid>
  <memory unit='MiB'>${bootedGuestMiB(spec)}</memory>
  <os>
    <type arch='x86_64' machine='pc'>hvm</type>
    <kernel>${image.kernel}</kernel>
    <initrd>${image.initramfs}</initrd>
    <cmdline>console=ttyS0 quiet nokaslr panic=-1 ${orders.join(' ')}</cmdline>
  </os>
  <features><acpi/></features>
  <on_reboot>destroy</on_reboot>
  <devices>
    <emulator>/usr/bin/qemu-system-x86_64</emulator>
    <controller type='usb' model='none'/>
    <serial type='unix'><source mode='bind' path='${socket}'/></serial>
    <memballoon model='none'/>
  </devices>
</domain>
`;
}

/** 60 bits of hexadecimal: the same for the same name, and none that guestInit.c has for something else. */
function seedOf(name: string): string {
  return guestUuid(name).replaceAll('-', '').slice(0, 15);
}

/** A guest that runs a kernel, seen through its console. */
export class BootedGuest {
  readonly name: string;
  /** performance.now() when its memory was filled. Rejects with what is on its console if the guest ends before that. */
  readonly ready: Promise<number>;
  readonly #console: Socket;
  readonly #lines: Interface;
  readonly #said: string[] = [];
  readonly #ended: Promise<never>;

  /** `socket` is the console of a guest that has just been started: what it said before is lost. */
  constructor(name: string, socket: string) {
    this.name = name;
    this.#console = createConnection(socket);
    this.#lines = createInterface(this.#console);
    this.#lines.on('line', (line) => this.#said.push(line));
    this.#ended = new Promise((_, reject) => {
      const end = (error?: Error) => {
        const why = error?.message ?? 'the guest has ended';
        reject(new Error([`${name}: ${why}`, ...this.#said.slice(-SHOWN_LINES)].join('\n')));
      };
      this.#console.once('error', end);
      this.#lines.once('close', end);
    });
    this.ready = this.#hears('ready');
    // Nobody may be waiting when the guest is destroyed.
    for (const promise of [this.#ended, this.ready]) promise.catch(() => undefined);
  }

  /** Its own pages are the same as those of every other guest that was told so when it resolves. */
  async align(): Promise<void> {
    await this.#tell('align', 'aligned');
  }

  /** Undoes align(): its own pages are like no other guest's again. */
  async diverge(): Promise<void> {
    await this.#tell('diverge', 'diverged');
  }

  /** It has read all of its memory, since when it was told to, when it resolves. */
  async read(): Promise<void> {
    await this.#tell('read', 'done reading');
  }

  /** It has written to one page of each huge page's worth of its empty pages when it resolves. */
  async sprinkle(): Promise<void> {
    await this.#tell('sprinkle', 'sprinkled');
  }

  /** It has found its pages as it last filled them when it resolves, and otherwise when it rejects. */
  async check(): Promise<void> {
    const wrong = this.#hears('contents wrong').then(() => {
      throw new Error(`${this.name}: its pages are not as it filled them`);
    });
    // Nobody waits for it any more when the guest ends.
    wrong.catch(() => undefined);
    await Promise.race([this.#tell('check', 'contents right'), wrong]);
  }

  async #tell(command: string, answer: string): Promise<void> {
    const answered = this.#hears(answer);
    this.#console.write(`${command}\n`);
    await answered;
  }

  #hears(word: string): Promise<number> {
    const heard = new Promise<number>((resolve) => {
      const listen = (line: string) => {
        if (line !== word) return;
        this.#lines.off('line', listen);
        resolve(performance.now());
      };
      this.#lines.on('line', listen);
    });
    return Promise.race([heard, this.#ended]);
  }
}
