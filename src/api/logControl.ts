import { DBusError, interface as dbus } from 'dbus-next';
import { type Logging, SYSLOG_LEVELS } from '../log.js';
import { INVALID_ARGS } from './names.js';

export const LOG_CONTROL_PATH = '/org/freedesktop/LogControl1';
/** As systemd names our lines in the journal: by the command that it starts. */
const SYSLOG_IDENTIFIER = 'samepaged';

const { Interface, property } = dbus;

/** org.freedesktop.LogControl1(5), which `systemctl service-log-level` speaks. */
export class LogControl extends Interface {
  private readonly logging: Logging;

  constructor(logging: Logging) {
    super('org.freedesktop.LogControl1');
    this.logging = logging;
  }

  @property({ signature: 's' })
  get LogLevel(): string {
    return this.logging.level;
  }
  set LogLevel(name: string) {
    const level = SYSLOG_LEVELS.find((known) => known === name);
    if (level === undefined) {
      throw new DBusError(
        INVALID_ARGS,
        `no log level "${name.slice(0, 60)}"; there are ${SYSLOG_LEVELS.join(', ')}: it stays ${this.logging.level}`,
      );
    }
    this.logging.level = level;
  }

  @property({ signature: 's' })
  get LogTarget(): string {
    return this.logging.target;
  }
  /** The target is where stdout goes, which a running process does not change. */
  set LogTarget(name: string) {
    const { target } = this.logging;
    if (name === target) return;
    throw new DBusError(
      INVALID_ARGS,
      `no log target "${name.slice(0, 60)}"; samepaged writes to stdout, which is the ${target} here: it stays that`,
    );
  }

  /** Without a setter: the library refuses to write what is only to be read, and then writes it. */
  @property({ signature: 's', access: 'read' })
  get SyslogIdentifier(): string {
    return SYSLOG_IDENTIFIER;
  }
}
