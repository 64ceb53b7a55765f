import { DBusError, type Message, Variant } from 'dbus-next';
import { defer, firstValueFrom, takeUntil } from 'rxjs';
import { messageOf } from '../errors.js';
import { isAnswerExpected, isInteractive } from '../dbus/call.js';
import { type Bus, Unanswered, isNoSuchService } from '../dbus/bus.js';
import { MANAGER_INTERFACE } from './names.js';
import { Places } from './limits.js';
import { Quotas } from './quotas.js';

/** An action of deploy/polkit/org.samepaged1.policy. */
type Action = `org.samepaged1.${'retune' | 'set-policy' | 'pause' | 'unmerge' | 'estimate' | 'configure'}`;

const ANYONE = 'anyone';

/** Who may call what. What is not here cannot be called. */
const RULES: ReadonlyMap<string, Action | typeof ANYONE> = new Map([
  [`${MANAGER_INTERFACE}.Retune`, 'org.samepaged1.retune'],
  [`${MANAGER_INTERFACE}.Pause`, 'org.samepaged1.pause'],
  [`${MANAGER_INTERFACE}.Stop`, 'org.samepaged1.pause'],
  [`${MANAGER_INTERFACE}.Resume`, 'org.samepaged1.pause'],
  [`${MANAGER_INTERFACE}.Unmerge`, 'org.samepaged1.unmerge'],
  [`${MANAGER_INTERFACE}.Estimate`, 'org.samepaged1.estimate'],
  [`${MANAGER_INTERFACE}.SetPolicy`, 'org.samepaged1.set-policy'],
  [`${MANAGER_INTERFACE}.Reload`, 'org.samepaged1.configure'],
  [`${MANAGER_INTERFACE}.Explain`, ANYONE],
  [`${MANAGER_INTERFACE}.GetConfiguration`, ANYONE],
  [`${MANAGER_INTERFACE}.GetHistory`, ANYONE],
  [`${MANAGER_INTERFACE}.GetMetrics`, ANYONE],
  [`${MANAGER_INTERFACE}.ListGuests`, ANYONE],
  // The properties that can be set are LogControl's.
  ['org.freedesktop.DBus.Properties.Set', 'org.samepaged1.configure'],
  ['org.freedesktop.DBus.Properties.Get', ANYONE],
  ['org.freedesktop.DBus.Properties.GetAll', ANYONE],
  ['org.freedesktop.DBus.Introspectable.Introspect', ANYONE],
  ['org.freedesktop.DBus.Peer.Ping', ANYONE],
  ['org.freedesktop.DBus.Peer.GetMachineId', ANYONE],
]);

/** The actions that deploy/polkit/50-samepaged.rules allows to the group libvirt. */
const OF_GROUP_LIBVIRT: readonly Action[] = ['org.samepaged1.retune', 'org.samepaged1.pause'];

const POLKIT = {
  destination: 'org.freedesktop.PolicyKit1',
  path: '/org/freedesktop/PolicyKit1/Authority',
  interface: 'org.freedesktop.PolicyKit1.Authority',
} as const;
const ALLOW_USER_INTERACTION = 1;
/** polkit may have to be started first. */
const POLKIT_TIMEOUT_MILLIS = 25_000;
/** Somebody types a password. */
const PASSWORD_TIMEOUT_MILLIS = 120_000;
/**
 * The bus lets a connection wait for 128 answers by default; dialogs that nobody answers must not use them up, nor one user
 * the dialogs of all.
 */
const CHECKS_AT_ONCE = { one: 4, all: 32, own: 0 };
/**
 * As many as a connection may have unanswered, and twice that: who waits for no answers sends calls faster than the bus
 * says whose they are. Each has some places of its own, for it may be root's. Calls of a known caller take none.
 */
const LOOKUPS_AT_ONCE = { one: 128, all: 256, own: 4 };
/** The connections of four users, as the bus allows them. */
const MOST_USERS = 1024;

/**
 * Lets callers do what they may: read, everyone; change, root and the daemon's own user, and whom polkit allows it. A
 * caller is known by its unique name on the bus, which is given by the bus and never to a second one.
 */
export class Authority {
  private readonly bus: Pick<Bus, 'call' | 'owner$'>;
  private readonly lookups = new Places(LOOKUPS_AT_ONCE);
  private readonly checks = new Places(CHECKS_AT_ONCE);
  private readonly quotas = new Quotas();
  /** The users of the callers seen last. */
  private readonly users = new Map<string, unknown>();
  /** What the bus is being asked: whose a caller is. */
  private readonly questions = new Map<string, Promise<unknown>>();
  private lastCheck = 0;

  constructor(bus: Pick<Bus, 'call' | 'owner$'>) {
    this.bus = bus;
  }

  /**
   * Reading is for those who wait for the answer: the bus limits those calls per user, and no others.
   *
   * @throws DBusError to send to the caller when it may not, Unanswered when not even that may be sent.
   */
  async authorize(call: Message): Promise<void> {
    const member = `${call.interface}.${call.member}`;
    const rule = RULES.get(member);
    if (rule === undefined) throw new DBusError('org.freedesktop.DBus.Error.UnknownMethod', `there is no ${member}`);
    if (rule === ANYONE && !isAnswerExpected(call)) {
      throw new DBusError(
        'org.freedesktop.DBus.Error.NotSupported',
        `${member} only answers: a call without a reply does nothing`,
      );
    }
    const { sender } = call;
    const uid = this.users.get(sender) ?? (await this.lookups.during(sender, () => this.questionFor(sender)));
    if (isOurs(uid)) return;
    const quota = this.quotas.call(uid);
    if (quota === 'silent') throw new Unanswered();
    if (quota === 'many') {
      throw new DBusError(
        'org.freedesktop.DBus.Error.LimitsExceeded',
        'too many calls of yours: try again in a minute',
      );
    }
    if (rule === ANYONE) return;
    await this.checks.during(uid, () => this.askPolkit(call, rule));
  }

  /** Counts what was sent to a caller. */
  answered(sender: string, bytes: number): void {
    Promise.resolve(this.users.get(sender) ?? this.questions.get(sender)).then(
      (uid) => {
        if (uid !== undefined && !isOurs(uid)) this.quotas.answered(uid, bytes);
      },
      () => undefined,
    );
  }

  /** A name is never given to a second caller, so its user is asked for once; calls that come meanwhile share the question. */
  private questionFor(sender: string): Promise<unknown> {
    const open = this.questions.get(sender);
    if (open !== undefined) return open;
    const question = this.askUid(sender)
      .then((uid) => {
        const [oldest] = this.users.keys();
        if (this.users.size >= MOST_USERS && oldest !== undefined) this.users.delete(oldest);
        this.users.set(sender, uid);
        return uid;
      })
      .finally(() => this.questions.delete(sender));
    this.questions.set(sender, question);
    return question;
  }

  private async askUid(sender: string): Promise<unknown> {
    const [uid] = await this.bus.call({
      destination: 'org.freedesktop.DBus',
      path: '/org/freedesktop/DBus',
      interface: 'org.freedesktop.DBus',
      member: 'GetConnectionUnixUser',
      signature: 's',
      body: [sender],
    });
    return uid;
  }

  private async askPolkit(call: Message, action: Action): Promise<void> {
    const interactive = isInteractive(call);
    const subject = ['system-bus-name', { name: new Variant('s', call.sender) }];
    const flags = interactive ? ALLOW_USER_INTERACTION : 0;
    const cancellationId = `samepaged-${(this.lastCheck += 1)}`;
    const answer$ = defer(() =>
      this.bus.call({
        ...POLKIT,
        member: 'CheckAuthorization',
        signature: '(sa{sv})sa{ss}us',
        body: [subject, action, {}, flags, cancellationId],
        timeoutMillis: interactive ? PASSWORD_TIMEOUT_MILLIS : POLKIT_TIMEOUT_MILLIS,
      }),
    );
    // Who has gone by the time that polkit is asked, polkit refuses.
    const whileCallerIsThere$ = answer$.pipe(takeUntil(this.bus.owner$(call.sender)));
    const answer = await firstValueFrom(whileCallerIsThere$, { defaultValue: undefined }).catch((error: unknown) => {
      if (!(error instanceof DBusError)) this.cancel(cancellationId);
      const why = isNoSuchService(error) ? 'polkit does not run' : `polkit: ${messageOf(error)}`;
      throw notAuthorized(`${action} is for root only here (${why})`);
    });
    if (answer === undefined) {
      this.cancel(cancellationId);
      throw notAuthorized('the caller has disconnected');
    }
    const [isAuthorized] = answer[0] as [boolean, boolean, Record<string, string>];
    if (!isAuthorized) throw notAuthorized(`${action} is for ${whoMay(action)}`);
  }

  /** Takes the password dialog off the screen. */
  private cancel(cancellationId: string): void {
    const call = { ...POLKIT, member: 'CancelCheckAuthorization', signature: 's', body: [cancellationId] };
    this.bus.call(call).catch(() => undefined);
  }
}

/** Root and the daemon's own user are not counted. */
function isOurs(uid: unknown): boolean {
  return uid === 0 || uid === process.getuid?.();
}

function whoMay(action: Action): string {
  const group = OF_GROUP_LIBVIRT.includes(action) ? ', members of the group libvirt' : '';
  return `root${group} and administrators with their password`;
}

function notAuthorized(text: string): DBusError {
  return new DBusError('org.samepaged1.Error.NotAuthorized', text);
}
