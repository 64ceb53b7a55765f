import { writeFileSync } from 'node:fs';
import type { MessageBus } from 'dbus-next';
import { connect } from './busClient.js';
import { Child } from '../child.js';

/** A bus at a path of the test's choosing, which may come late and may forbid names; PrivateBus is for all others. */
export class BusAt implements AsyncDisposable {
  readonly address: string;
  private readonly daemon: Child;

  private constructor(address: string, daemon: Child) {
    this.address = address;
    this.daemon = daemon;
  }

  /** Accepts connections when it resolves. Its files are the socket's path with endings. */
  static async start(socket: string, { forbidden = [] }: { forbidden?: readonly string[] } = {}): Promise<BusAt> {
    const address = `unix:path=${socket}`;
    writeFileSync(
      `${socket}.conf`,
      `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
  "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>${address}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/>
    <allow own="*"/>
    <allow send_destination="*" eavesdrop="true"/>
    <allow receive_sender="*" eavesdrop="true"/>
    ${forbidden.map((name) => `<deny own="${name}"/>`).join('\n    ')}
  </policy>
</busconfig>
`,
    );
    const log = `${socket}.log`;
    const bus = new BusAt(address, Child.start('dbus-daemon', [`--config-file=${socket}.conf`, '--nofork'], { log }));
    await bus.daemon.until(() =>
      connect(address).then(
        (client) => {
          client.disconnect();
          return true;
        },
        () => false,
      ),
    );
    return bus;
  }

  /** A connection that the caller disconnects. */
  connect(): Promise<MessageBus> {
    return connect(this.address);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.daemon.kill();
  }
}
