import { existsSync } from 'node:fs';
import { cp, mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { MessageBus } from 'dbus-next';
import { callBus, connect } from './busClient.js';
import { Child } from '../child.js';
import { removeScratch, scratchDirectory } from '../scratch.js';

/** Users that exist for this bus and its polkit; `member` is in the group libvirt. */
export const UID = { root: 0, samepaged: 59701, member: 59702, nobody: 65534 } as const;
const POLKITD_UID = 59703;
const LIBVIRT_GID = 59704;

const PASSWD = Object.entries({ ...UID, polkitd: POLKITD_UID })
  .map(([name, uid]) => `${name}:x:${uid}:${uid}::/:/bin/false\n`)
  .join('');
const GROUP = `libvirt:x:${LIBVIRT_GID}:member\n${PASSWD.replace(/:x:(\d+).*$/gm, ':x:$1:')}`;

const POLKITD = ['/usr/lib/polkit-1/polkitd', '/usr/libexec/polkitd'];

/** As dbus-daemon's own system.conf: nobody may own or call anything, but for what the files of services allow. */
const configuration = (socket: string) => `<busconfig>
  <type>system</type>
  <listen>unix:path=${socket}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/>
    <deny own="*"/>
    <deny send_type="method_call"/>
    <allow send_type="signal"/>
    <allow send_requested_reply="true" send_type="method_return"/>
    <allow send_requested_reply="true" send_type="error"/>
    <allow receive_type="method_call"/>
    <allow receive_type="method_return"/>
    <allow receive_type="error"/>
    <allow receive_type="signal"/>
    <allow send_destination="org.freedesktop.DBus"/>
  </policy>
  <policy user="root">
    <allow own="org.libvirt"/>
  </policy>
  <include>/usr/share/dbus-1/system.d/org.freedesktop.PolicyKit1.conf</include>
  <include>/usr/share/dbus-1/system.d/org.libvirt.conf</include>
  <include>${resolve('deploy/dbus/org.samepaged1.conf')}</include>
</busconfig>
`;

/** Runs a command where the users are those above and polkit knows samepaged's actions and rules, and the site's. */
const INSIDE = `set -eu
mount --bind "$1/passwd" /etc/passwd
mount --bind "$1/group" /etc/group
mount --bind "$1/actions" /usr/share/polkit-1/actions
mount --bind "$1/rules" /usr/share/polkit-1/rules.d
mount --bind "$1/site" /etc/polkit-1/rules.d
shift
exec "$@"
`;

export interface SystemBusOptions {
  readonly polkit: boolean;
  /** What is in /etc/polkit-1/rules.d, by the file's name. */
  readonly siteRules?: Readonly<Record<string, string>>;
}

/**
 * A system bus of a test's own with samepaged's real policy in force and, if asked for, the real polkitd. Owns both. Needs
 * root.
 */
export class SystemBus implements AsyncDisposable {
  readonly address: string;
  private readonly directory: string;
  private readonly daemons: Child[] = [];
  private readonly clients: MessageBus[] = [];

  private constructor(directory: string) {
    this.directory = directory;
    this.address = `unix:path=${join(directory, 'bus')}`;
  }

  /** Accepts connections when it resolves. */
  static async start({ polkit, siteRules = {} }: SystemBusOptions): Promise<SystemBus> {
    const directory = await scratchDirectory('systembus');
    await writeFile(join(directory, 'bus.conf'), configuration(join(directory, 'bus')));
    await writeFile(join(directory, 'passwd'), PASSWD);
    await writeFile(join(directory, 'group'), GROUP);
    for (const made of ['actions', 'rules', 'site']) await mkdir(join(directory, made));
    await cp('deploy/polkit/org.samepaged1.policy', join(directory, 'actions/org.samepaged1.policy'));
    await cp('deploy/polkit/50-samepaged.rules', join(directory, 'rules/50-samepaged.rules'));
    for (const [name, rule] of Object.entries(siteRules)) await writeFile(join(directory, 'site', name), rule);
    const bus = new SystemBus(directory);
    try {
      const dbus = bus.run('dbus-daemon', `--config-file=${join(directory, 'bus.conf')}`, '--nofork');
      await dbus.until(() => accepts(bus.address));
      if (polkit) await bus.startPolkit();
    } catch (error) {
      await bus[Symbol.asyncDispose]();
      throw error;
    }
    return bus;
  }

  /** A connection of root's that this bus closes. */
  async connect(): Promise<MessageBus> {
    const client = await connect(this.address);
    this.clients.push(client);
    return client;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.clients.splice(0)) client.disconnect();
    for (const daemon of this.daemons.reverse()) await daemon.kill();
    await removeScratch(this.directory);
  }

  private async startPolkit(): Promise<void> {
    const polkitd = POLKITD.find((path) => existsSync(path));
    if (polkitd === undefined) throw new Error(`polkitd is not at ${POLKITD.join(' or ')}`);
    const client = await this.connect();
    const daemon = this.run(polkitd);
    await daemon.until(async () => (await callBus(client, 'NameHasOwner', 'org.freedesktop.PolicyKit1'))[0] === true);
  }

  private run(command: string, ...args: readonly string[]): Child {
    const words = ['--mount', '--propagation', 'private', 'sh', '-c', INSIDE, 'sh', this.directory, command, ...args];
    const env = { DBUS_SYSTEM_BUS_ADDRESS: this.address };
    const daemon = Child.start('unshare', words, { log: join(this.directory, 'log'), env });
    this.daemons.push(daemon);
    return daemon;
  }
}

function accepts(address: string): Promise<boolean> {
  return connect(address).then(
    (client) => {
      client.disconnect();
      return true;
    },
    () => false,
  );
}
