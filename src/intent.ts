import { BehaviorSubject, type Observable } from 'rxjs';
import { type Config, ConfigError } from './config/load.js';
import { type Hold, inForce } from './core/hold.js';
import type { Trigger } from './core/policy.js';
import { messageOf } from './errors.js';
import type { HoldFile } from './host/holdFile.js';
import type { Logging } from './log.js';
import type { Intent } from './plan.js';

export interface IntentsOptions {
  readonly config: Config;
  /** Reads the configuration again; throws ConfigError. */
  readonly reload: () => Config;
  /** Where a hold survives a restart; undefined in a dry run. */
  readonly holdFile: HoldFile | undefined;
  readonly logging: Logging;
}

/** What the administrator wants: the configuration, which a reload replaces, and the hold. */
export class Intents {
  readonly intent$: Observable<Intent>;
  private readonly subject: BehaviorSubject<Intent>;
  private expired: Hold | undefined;
  private readonly options: IntentsOptions;

  constructor(options: IntentsOptions) {
    this.options = options;
    this.subject = new BehaviorSubject<Intent>({
      because: { kind: 'start' },
      values: options.config.values,
      hold: this.savedHold(),
    });
    this.intent$ = this.subject.asObservable();
  }

  get current(): Intent {
    return this.subject.value;
  }

  /** Reads the configuration again, and opens the LOGFILE anew. One with errors changes nothing. */
  reload(): void {
    const config = this.readConfig();
    const { values } = config ?? this.current;
    this.options.logging.configure({ debug: values.DEBUG, logFile: values.LOGFILE });
    if (config !== undefined) this.subject.next({ ...this.current, because: { kind: 'reload' }, values });
  }

  /** Sets or ends the hold. `because` is then the trigger of the turn that applies it. */
  hold(hold: Hold | undefined, because: Trigger): void {
    this.save(hold);
    this.subject.next({ ...this.current, because, hold });
  }

  /** A hold that has ended by itself at `nowMillis` is forgotten; the policy decides already. */
  expire(nowMillis: number): void {
    const { hold } = this.current;
    if (this.expired === hold || inForce(hold, nowMillis) === hold) return;
    this.expired = hold;
    this.save(undefined);
  }

  private save(hold: Hold | undefined): void {
    const { holdFile, logging } = this.options;
    try {
      holdFile?.write(hold);
    } catch (error) {
      const after = hold === undefined ? 'hold again' : 'forget this';
      logging.log.warn(`${holdFile?.path ?? ''} cannot be written (${messageOf(error)}): a restart will ${after}`);
    }
  }

  private readConfig(): Config | undefined {
    const { log } = this.options.logging;
    try {
      const config = this.options.reload();
      for (const warning of config.warnings) log.warn(warning);
      log.info('configuration reloaded');
      return config;
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      for (const line of error.message.split('\n')) log.error(line);
      log.error('the configuration is not reloaded: going on with the one that was running');
      return undefined;
    }
  }

  private savedHold(): Hold | undefined {
    const { holdFile, logging } = this.options;
    try {
      return inForce(holdFile?.read(), Date.now());
    } catch (error) {
      logging.log.warn(`${holdFile?.path ?? ''} is no hold of samepaged's (${messageOf(error)}): not held`);
      return undefined;
    }
  }
}
