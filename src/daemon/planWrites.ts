import { type KsmSetting, type KsmSettings, ksmFile, ksmWrites, settingsIn } from '../core/ksm.js';
import type { Applied } from '../core/retune.js';
import type { Problem } from '../core/sample.js';

/** The kernel answers EBUSY to these while pages are shared. */
const NEEDS_UNMERGED: ReadonlySet<KsmSetting> = new Set<KsmSetting>(['mergeAcrossNodes', 'maxPageSharing']);

/** The kernel's settings, and whether it shares pages. */
export type SharedKsm = KsmSettings & { readonly pagesShared: number };

/** The writes that bring the kernel to what is wanted of it. */
export interface Planned extends Applied {
  readonly wanted: KsmSettings;
}

export interface PlanOptions {
  /** What an administrator can do about a setting that must wait. */
  readonly remedy: string;
  /** Whether an administrator wants everything unmerged whatever the memory. */
  readonly isForced: boolean;
  /** Whether everything may be unmerged for a setting that the kernel accepts only while nothing is shared. */
  readonly unmergesToApply: boolean;
  /** Whether the kernel has the setting. */
  readonly has: (setting: KsmSetting) => boolean;
  /** Why everything may not be unmerged now; undefined when it fits into memory. */
  readonly unmergeObstacle: () => string | undefined;
}

/**
 * The writes that bring `ksm` to `wanted`, as far as the kernel takes them: some settings it lacks, and some it takes only
 * while nothing is shared. Those wait for an unmerge, unless everything may be unmerged for them now.
 */
export function planWrites(ksm: SharedKsm, asked: KsmSettings, options: PlanOptions): Planned {
  const { remedy, unmergesToApply, has, unmergeObstacle } = options;
  const { wanted, problems } = fitting(ksm, asked, options);
  const missing = settingsIn(wanted)
    .filter((setting) => ksm[setting] === undefined && !has(setting))
    .map((setting) => ({
      subject: `${ksmFile(setting)} missing`,
      sentence: `this kernel has no ${ksmFile(setting)}: it is left out`,
    }));
  const known = [...problems, ...missing];
  const writes = ksmWrites(ksm, wanted);
  const waiting = writes.filter(({ setting }) => NEEDS_UNMERGED.has(setting));
  if (waiting.length === 0 || ksm.pagesShared === 0 || wanted.run === 2) return { writes, wanted, problems: known };
  const obstacle = unmergesToApply ? unmergeObstacle() : 'KSM_UNMERGE_TO_APPLY is not set';
  if (obstacle === undefined) {
    const rest = ksmWrites({ ...ksm, run: 2 }, { ...wanted, run: wanted.run ?? ksm.run ?? 0 });
    return { writes: [{ setting: 'run', from: ksm.run ?? 0, to: 2 }, ...rest], wanted, problems: known };
  }
  const stay = waiting.map(({ setting, from, to }) =>
    settingProblem(
      setting,
      `stays ${from} and is not set to ${to}: the kernel accepts it only while nothing is shared; ${remedy} (${obstacle})`,
    ),
  );
  return { writes: writes.filter((write) => !waiting.includes(write)), wanted, problems: [...known, ...stay] };
}

/** `wanted`, with ksmd stopped instead where unmerging may not fit into memory. */
function fitting(
  ksm: KsmSettings,
  wanted: KsmSettings,
  { isForced, unmergeObstacle }: PlanOptions,
): { wanted: KsmSettings; problems: Problem[] } {
  const obstacle = wanted.run !== 2 || ksm.run === 2 || isForced ? undefined : unmergeObstacle();
  if (obstacle === undefined) return { wanted, problems: [] };
  return { wanted: { ...wanted, run: 0 }, problems: [settingProblem('run', `is set to 0 instead of 2: ${obstacle}`)] };
}

export function settingProblem(setting: KsmSetting, what: string): Problem {
  return { subject: ksmFile(setting), sentence: `${ksmFile(setting)} ${what}` };
}
