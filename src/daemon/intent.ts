import { BehaviorSubject, type Observable } from 'rxjs';
import { type KeyName, POLICY_NAMES, type PolicyName, type Values } from '../config/keys.js';
import type { Config, Origin } from '../config/load.js';
import { type ConfigRead, type ConfigView, entriesOf, readConfig, viewOf } from '../config/view.js';
import { type Hold, inForce } from '../core/hold.js';
import type { Trigger } from '../core/trigger.js';
import type { Sample } from '../core/sample.js';
import { messageOf } from '../errors.js';
import type { HoldFile, PolicyChoice, SaidByHand } from '../state/hold.js';
import { type Root, readTextIfThere } from '../host/sysfs.js';
import type { Logging } from '../log.js';
import type { Intent } from '../config/plan.js';

export interface IntentsOptions {
  readonly root: Root;
  readonly config: Config;
  /** Reads the configuration again; throws ConfigError. */
  readonly reload: () => Promise<Config>;
  /** Where a hold and a policy set by hand survive a restart; undefined in a dry run. */
  readonly holdFile: HoldFile | undefined;
  readonly logging: Logging;
}

/** A clock that is kept right by small steps differs by less from one that nobody sets. */
const CLOCK_SET_MILLIS = 2000;

/** What the administrator wants: the configuration, which a reload replaces, the hold and the policy set by hand. */
export class Intents {
  readonly intent$: Observable<Intent>;
  private readonly subject: BehaviorSubject<Intent>;
  private readonly options: IntentsOptions;
  private readonly bootId: string;
  private config: Config;
  private valid = true;
  private choice: PolicyChoice | undefined;
  /** When the hold ends, on a clock that nobody sets. */
  private holdEndsAt: number | undefined;

  constructor(options: IntentsOptions) {
    this.options = options;
    this.config = options.config;
    this.bootId = readTextIfThere(`${options.root}/proc/sys/kernel/random/boot_id`) ?? '';
    const saved = this.saved();
    const hold = inForce(saved.hold, Date.now());
    this.holdEndsAt = endOf(hold);
    this.choice = this.kept(saved.policy);
    this.subject = new BehaviorSubject<Intent>({ because: { kind: 'start' }, values: this.values(), hold });
    this.intent$ = this.subject.asObservable();
    if (this.choice !== saved.policy) void this.save(hold, 'the former policy is in force again');
  }

  get current(): Intent {
    return this.subject.value;
  }

  /** The policy that the configuration names. */
  get configuredPolicy(): PolicyName {
    return this.config.values.KSM_POLICY;
  }

  /** Whether the configuration could be taken when it was read last. */
  get isValid(): boolean {
    return this.valid;
  }

  /** What a key was set to, and where. */
  originOf(key: KeyName): Origin {
    return this.config.origins[key];
  }

  /** Reads the configuration and opens the LOGFILE again. Nothing of it is in force before `take`. */
  async read(): Promise<ConfigRead> {
    const { log } = this.options.logging;
    const read = await readConfig(this.options.reload);
    this.valid = read.config !== undefined;
    if (read.config === undefined) {
      for (const problem of read.problems) log.error(problem);
      log.error('the configuration is not reloaded: the running one stays in force');
    } else {
      for (const problem of read.problems) log.warn(problem);
      log.info('configuration reloaded');
    }
    const { DEBUG, LOGFILE } = (read.config ?? this.config).values;
    this.options.logging.configure({ debug: DEBUG, logFile: LOGFILE });
    return read;
  }

  /** Puts `config` in force. `because` is the trigger of the retune that applies it. */
  take(config: Config, because: Trigger): void {
    this.config = config;
    const kept = this.kept(this.choice);
    if (kept !== this.choice) {
      this.choice = kept;
      void this.save(this.current.hold, 'the former policy is in force again');
    }
    this.subject.next({ ...this.current, because, values: this.values() });
  }

  /** Sets or ends the hold at once; it survives a restart when the promise is kept. `because` is then the trigger of the retune that applies it. */
  async hold(hold: Hold | undefined, because: Trigger): Promise<void> {
    this.holdEndsAt = endOf(hold);
    const saved = this.save(hold, hold === undefined ? 'the former hold is in force again' : 'this hold is lost');
    this.subject.next({ ...this.current, because, hold });
    await saved;
  }

  /** Sets the policy; the one that the configuration names when undefined. `because` as for hold(). */
  async choosePolicy(name: PolicyName | undefined, because: Trigger): Promise<void> {
    const { log } = this.options.logging;
    const configured = this.configuredPolicy;
    const byHand = name !== undefined && name !== configured;
    this.choice = byHand ? { name, insteadOf: configured, bootId: this.bootId } : undefined;
    const saved = this.save(this.current.hold, byHand ? 'this policy is lost' : 'the former policy is in force again');
    if (byHand) log.info(`policy ${name}, set by hand instead of ${configured}: until samepagectl policy default`);
    else log.info(`policy ${configured}, as the configuration says`);
    this.subject.next({ ...this.current, because, values: this.values() });
    await saved;
  }

  /**
   * Ends a hold that has lasted its time: a cause for a retune, as resuming is. Where the clock was set, the hold still lasts
   * as long as was asked for: another time of its end, and a retune with that.
   */
  expire({ takenAtMillis, monotonicMillis }: Pick<Sample, 'takenAtMillis' | 'monotonicMillis'>): void {
    const { hold } = this.current;
    if (hold?.untilMillis === undefined || this.holdEndsAt === undefined) return;
    const leftMillis = this.holdEndsAt - monotonicMillis;
    if (leftMillis <= 0) {
      void this.hold(undefined, {
        kind: 'manual',
        by: `the end of the ${hold.kind === 'estimating' ? 'estimate' : 'pause'}`,
      });
      return;
    }
    const untilMillis = Math.round(takenAtMillis + leftMillis);
    if (Math.abs(untilMillis - hold.untilMillis) < CLOCK_SET_MILLIS) return;
    void this.hold({ ...hold, untilMillis }, { kind: 'manual', by: 'a change of the clock' });
  }

  /** Every key with its value and where that came from. */
  entries(): ConfigView['entries'] {
    return entriesOf(this.config, this.choice?.name);
  }

  /** The configuration in force, compared with what the files say now. */
  async view(): Promise<ConfigView> {
    return viewOf(this.config, this.choice?.name, await readConfig(this.options.reload));
  }

  private values(): Values {
    const { values } = this.config;
    return this.choice === undefined ? values : { ...values, KSM_POLICY: this.choice.name as PolicyName };
  }

  /** The choice, as long as this boot lasts and the configuration names the policy that it was made against. */
  private kept(choice: PolicyChoice | undefined): PolicyChoice | undefined {
    if (choice === undefined) return undefined;
    const configured = this.configuredPolicy;
    const { name, insteadOf, bootId } = choice;
    const obstacle =
      bootId !== this.bootId
        ? 'the host was booted since'
        : insteadOf !== configured
          ? `KSM_POLICY is now ${configured} in the configuration and was ${insteadOf}`
          : POLICY_NAMES.includes(name as PolicyName)
            ? undefined
            : 'this samepaged has no such policy';
    const { log } = this.options.logging;
    if (obstacle !== undefined) log.info(`the policy ${name} that was set by hand ends: ${obstacle}`);
    else if (this.choice === undefined) log.info(`policy ${name}, set by hand instead of ${configured}`);
    return obstacle === undefined ? choice : undefined;
  }

  private async save(hold: Hold | undefined, consequence: string): Promise<void> {
    const { holdFile, logging } = this.options;
    try {
      // An estimate ends with the process.
      const kept = hold?.kind === 'estimating' ? undefined : hold;
      await holdFile?.write({ hold: kept, policy: this.choice }, Date.now());
    } catch (error) {
      logging.log.warn(
        `${holdFile?.path ?? ''} cannot be written (${messageOf(error)}): after a restart ${consequence}`,
      );
    }
  }

  private saved(): SaidByHand {
    const { holdFile, logging } = this.options;
    const nothing: SaidByHand = { hold: undefined, policy: undefined };
    try {
      return holdFile?.read(Date.now()) ?? nothing;
    } catch (error) {
      logging.log.warn(`${holdFile?.path ?? ''} cannot be read (${messageOf(error)}): ignored, nothing is held`);
      return nothing;
    }
  }
}

/** When a hold ends, on the clock of performance.now(). */
function endOf(hold: Hold | undefined): number | undefined {
  return hold?.untilMillis === undefined ? undefined : performance.now() + hold.untilMillis - Date.now();
}
