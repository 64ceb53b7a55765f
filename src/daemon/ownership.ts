import type { Decision } from '../core/decision.js';
import { type KsmSetting, type KsmSettings, settingsIn, settingsTouched } from '../core/ksm.js';
import type { Plan } from '../core/retune.js';

type Owner = { readonly policy: string } | 'configuration' | 'an earlier samepaged';

/** For whom each setting was set last. What nobody in force asks for any more is the host's again. */
export class Owners {
  private readonly owners: Map<KsmSetting, Owner>;

  /** @param inherited set by a samepaged before this one. */
  constructor(inherited: KsmSettings) {
    this.owners = new Map(settingsIn(inherited).map((setting) => [setting, 'an earlier samepaged']));
  }

  /**
   * What `decision` does not mention, and was set for another policy or for a key that is not in the configuration any more.
   * A policy that is silent on what it has set, and does not release it, leaves it as it is.
   *
   * @param before what the host had; what is not in it was not changed.
   * @param now what the kernel has.
   * @returns `due`, to be set back, and what is `back`: it has no owner from now on.
   */
  handBack(
    { settings, released = [] }: Decision,
    { policy, settings: configured }: Plan,
    before: KsmSettings,
    now: KsmSettings,
  ): { readonly due: KsmSettings; readonly back: readonly KsmSetting[] } {
    for (const setting of settingsTouched(settingsIn(settings))) this.owners.set(setting, { policy: policy.name });
    for (const setting of settingsTouched(settingsIn(configured))) this.owners.set(setting, 'configuration');
    const abandoned = [...this.owners].flatMap(([setting, owner]) => {
      const isOurs = typeof owner === 'object' && owner.policy === policy.name && !released.includes(setting);
      const isInForce = setting in settings || setting in configured || isOurs;
      return isInForce ? [] : [setting];
    });
    const differing = abandoned.filter((setting) => before[setting] !== undefined && before[setting] !== now[setting]);
    const touched = new Set(settingsTouched(differing));
    const due = abandoned.filter((setting) => touched.has(setting));
    const back = abandoned.filter((setting) => !touched.has(setting));
    for (const setting of back) this.owners.delete(setting);
    return { due: Object.fromEntries(due.map((setting) => [setting, before[setting]])), back };
  }
}
