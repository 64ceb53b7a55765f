import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { KSMD_DEADLINE_MILLIS, eventually } from '../daemon.js';

const SAMPLING_MILLIS = 5;

/** A file of the kernel's KSM. */
export function ksm(name: string): number {
  return Number(readFileSync(`/sys/kernel/mm/ksm/${name}`, 'utf8'));
}

/**
 * smart_scan looks at a page that did not merge in one pass of nine: equal pages of two guests that it looks at in different
 * passes do not meet.
 */
export function scanEveryPage(): void {
  const file = '/sys/kernel/mm/ksm/smart_scan';
  if (existsSync(file)) writeFileSync(file, '0');
}

/** What the host has before samepaged starts; unlike the kernel's defaults and all that samepaged would set. */
const HOST_SETTINGS = { run: 0, pages_to_scan: 123, sleep_millisecs: 77 };

export function setHostSettings(): void {
  for (const [name, value] of Object.entries(HOST_SETTINGS)) {
    writeFileSync(`/sys/kernel/mm/ksm/${name}`, String(value));
  }
}

/** Whether KSM is set as setHostSettings() did it, and root's. */
export function hasHostSettings(): boolean {
  return Object.entries(HOST_SETTINGS).every(
    ([name, value]) => ksm(name) === value && statSync(`/sys/kernel/mm/ksm/${name}`).uid === 0,
  );
}

export async function untilKsm(name: string, satisfies: (value: number) => boolean): Promise<void> {
  await eventually(
    () => (satisfies(ksm(name)) ? true : undefined),
    () => `${name} is still ${ksm(name)}`,
    KSMD_DEADLINE_MILLIS,
  );
}

/** The least number of pages that were shared at any time while `work` went on. */
export async function lowestSharingDuring(work: () => Promise<unknown>): Promise<number> {
  let lowest = ksm('pages_sharing');
  const sample = () => {
    lowest = Math.min(lowest, ksm('pages_sharing'));
  };
  const timer = setInterval(sample, SAMPLING_MILLIS);
  try {
    await work();
  } finally {
    clearInterval(timer);
  }
  sample();
  return lowest;
}
