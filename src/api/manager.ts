import { DBusError, Variant, interface as dbus } from 'dbus-next';
import { namedPolicy } from './commands.js';
import {
  type VariantDict,
  configurationDict,
  explanationDict,
  guestDicts,
  metricsBytes,
  reply,
  retuneDict,
} from './encode.js';
import { ManagerProperties } from './managerProperties.js';
import { DEFAULT_POLICY, INVALID_ARGS, REFUSED } from './names.js';

/** The error of an Estimate under a hold. */
const HELD = 'org.samepaged1.Error.Held';
/** A hundred years. */
const LONGEST_PAUSE_SECONDS = 3_155_760_000n;
const LONGEST_ESTIMATE_SECONDS = 3600n;
/** Who asked for an estimate has so long to have its pages unmerged, before the policy decides again. */
const AFTER_ESTIMATE_MILLIS = 600_000;

const { method } = dbus;

/** org.samepaged1.Manager: the properties, and what can be done by hand. It decides nothing. */
export class Manager extends ManagerProperties {
  @method({ outSignature: 'a{sv}' })
  async Retune(): Promise<VariantDict> {
    return reply(await this.commands.retune());
  }

  /** Rests for `seconds`; 0: until Resume. */
  @method({ inSignature: 't', outSignature: 'a{sv}' })
  async Pause(seconds: bigint): Promise<VariantDict> {
    if (seconds > LONGEST_PAUSE_SECONDS) {
      throw new DBusError(INVALID_ARGS, `a pause lasts at most ${LONGEST_PAUSE_SECONDS} seconds; 0 is until Resume`);
    }
    const untilMillis = seconds === 0n ? {} : { untilMillis: Date.now() + Number(seconds) * 1000 };
    return reply(await this.commands.hold({ kind: 'paused', ...untilMillis }, 'D-Bus Pause'));
  }

  @method({ outSignature: 'a{sv}' })
  async Stop(): Promise<VariantDict> {
    return reply(await this.commands.hold({ kind: 'stopped' }, 'D-Bus Stop'));
  }

  @method({ outSignature: 'a{sv}' })
  async Resume(): Promise<VariantDict> {
    return reply(await this.commands.hold(undefined, 'D-Bus Resume'));
  }

  /** Answers when everything is unmerged. Refused when it may not fit into memory, unless forced. */
  @method({ inSignature: 'b', outSignature: 'a{sv}' })
  async Unmerge(force: boolean): Promise<VariantDict> {
    const obstacle = force ? undefined : this.commands.unmergeObstacle();
    if (obstacle !== undefined) throw new DBusError(REFUSED, obstacle);
    return reply(await this.commands.hold({ kind: 'unmerged', isForced: force }, 'D-Bus Unmerge'));
  }

  /**
   * One burst at the CPU budget for at most `seconds`, whatever memory there is; then ksmd rests until Resume, ten minutes at
   * most.
   */
  @method({ inSignature: 't', outSignature: 'a{sv}' })
  async Estimate(seconds: bigint): Promise<VariantDict> {
    if (seconds < 1n || seconds > LONGEST_ESTIMATE_SECONDS) {
      throw new DBusError(INVALID_ARGS, `an estimate takes 1 to ${LONGEST_ESTIMATE_SECONDS} seconds`);
    }
    const { hold } = this.state;
    if (hold !== undefined) throw new DBusError(HELD, `${hold.kind} by hand: samepagectl resume first`);
    const longestMillis = Number(seconds) * 1000;
    const untilMillis = Date.now() + longestMillis + AFTER_ESTIMATE_MILLIS;
    return reply(await this.commands.hold({ kind: 'estimating', longestMillis, untilMillis }, 'D-Bus Estimate'));
  }

  /** Sets the policy, until the configuration names another one or the host is booted; `default` ends that. */
  @method({ inSignature: 's', outSignature: 'a{sv}' })
  async SetPolicy(name: string): Promise<VariantDict> {
    const policy = name === DEFAULT_POLICY ? undefined : namedPolicy(this.commands, name);
    return reply(await this.commands.setPolicy(policy, 'D-Bus SetPolicy'));
  }

  /** As SIGHUP. Taken, Problems with file:line each, and where it was taken the retune that followed. */
  @method({ outSignature: 'a{sv}' })
  async Reload(): Promise<VariantDict> {
    const { problems, retune } = await this.commands.reload();
    const answer = { Taken: new Variant('b', retune !== undefined), Problems: new Variant('as', [...problems]) };
    return retune === undefined ? answer : { ...answer, Retune: new Variant('a{sv}', retuneDict(retune)) };
  }

  /** The last retune worked through; see explanationDict. */
  @method({ outSignature: 'a{sv}' })
  Explain(): VariantDict {
    const { lastRetune } = this.state;
    return lastRetune === undefined ? {} : explanationDict(lastRetune, this.commands.entries());
  }

  /** The guests of the last retune whose names come after `after`, in the order of their names, a hundred at most. */
  @method({ inSignature: 's', outSignature: 'a(sa{sv})' })
  async ListGuests(after: string): Promise<[name: string, guest: VariantDict][]> {
    const { lastRetune } = this.state;
    if (lastRetune === undefined || 'failure' in lastRetune) return [];
    const { sample } = lastRetune;
    return guestDicts(sample, await this.commands.guestDetails(), after);
  }

  /** The configuration in force; see configurationDict. */
  @method({ outSignature: 'a{sv}' })
  async GetConfiguration(): Promise<VariantDict> {
    return configurationDict(await this.commands.configuration());
  }

  /**
   * Lines: what was recorded since then, microseconds since 1970, a record a line as in the history's file. NextUSec: from
   * when on there is more, to be asked for with another call.
   */
  @method({ inSignature: 't', outSignature: 'a{sv}' })
  GetHistory(sinceUSec: bigint): VariantDict {
    const { text, nextMillis } = this.commands.history(Number(sinceUSec / 1000n));
    const lines = { Lines: new Variant('s', text) };
    return nextMillis === undefined ? lines : { ...lines, NextUSec: new Variant('t', BigInt(nextMillis) * 1000n) };
  }

  /** The page of metrics that Prometheus reads, compressed (gzip): with hundreds of guests it is long. */
  @method({ outSignature: 'ay' })
  async GetMetrics(): Promise<Buffer> {
    return metricsBytes(await this.commands.metrics());
  }
}
