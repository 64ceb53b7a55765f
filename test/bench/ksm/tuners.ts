import type { Values } from '../../../src/config/keys.js';
import type { KsmSettings } from '../../../src/core/ksm.js';
import type { ScenarioName } from '../../../src/simulation/step.js';
import type { Settings } from '../../support/agentHost.js';
import { FLAT_OUT } from './ksmControl.js';

/** What tunes KSM: ksmd alone, set once; samepaged; or ksmtuned's script. */
export type Tuner = (
  | { readonly kind: 'kernel'; readonly settings: KsmSettings }
  | { readonly kind: 'samepaged'; readonly policy: Values['KSM_POLICY']; readonly settings?: Settings }
  | { readonly kind: 'script'; readonly repaired: boolean }
) & {
  readonly summary: string;
  /** It tells something in this scenario alone. */
  readonly only?: ScenarioName;
  /** There is nothing to wait for once the guests are ready. */
  readonly neverMerges?: true;
};

/** In the order of the table. */
const ALL = {
  adaptive: { kind: 'samepaged', policy: 'adaptive', summary: 'samepaged, KSM_POLICY=adaptive' },
  'adaptive-keep': {
    kind: 'samepaged',
    policy: 'adaptive',
    settings: { KSM_USE_ZERO_PAGES: 'keep' },
    summary: 'the same with KSM_USE_ZERO_PAGES=keep: use_zero_pages stays at 0',
  },
  advisor: { kind: 'samepaged', policy: 'advisor', summary: 'samepaged, KSM_POLICY=advisor' },
  'ksmtuned-policy': { kind: 'samepaged', policy: 'ksmtuned', summary: 'samepaged, KSM_POLICY=ksmtuned' },
  ksmtuned: { kind: 'script', repaired: false, summary: "Debian's ksmtuned script as it is shipped" },
  'ksmtuned-repaired': { kind: 'script', repaired: true, summary: "the script, made to count libvirt's guests" },
  'kernel-advisor': {
    kind: 'kernel',
    settings: { advisorMode: 'scan-time', run: 1 },
    summary: "the kernel's own advisor, advisor_mode=scan-time, with its defaults",
  },
  'kernel-defaults': {
    kind: 'kernel',
    settings: { advisorMode: 'none', pagesToScan: 100, sleepMillisecs: 20, run: 1 },
    summary: 'run=1, pages_to_scan=100, sleep_millisecs=20',
  },
  'flat-out': { kind: 'kernel', settings: FLAT_OUT, summary: 'ksmd without any sleep, which nothing outruns' },
  'flat-out-zero': {
    kind: 'kernel',
    settings: { ...FLAT_OUT, useZeroPages: 1 },
    summary: 'the same with use_zero_pages=1',
  },
  off: { kind: 'kernel', settings: { run: 0 }, summary: 'run=0', only: 'boot-storm', neverMerges: true },
} as const satisfies Record<string, Tuner>;

export type TunerName = keyof typeof ALL;
export const TUNERS: Readonly<Record<TunerName, Tuner>> = ALL;
export const TUNER_NAMES = Object.keys(ALL) as readonly TunerName[];

/** Whether a tuner is of use in a scenario. */
export function takesPart(name: TunerName, scenario: ScenarioName): boolean {
  return (TUNERS[name].only ?? scenario) === scenario;
}
