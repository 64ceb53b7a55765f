import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { KsmFiles } from '../report.js';

const DIRECTORY = '/sys/kernel/mm/ksm';
/** They count and cannot be set. */
const COUNTER = /^(pages_(?!to_scan)|full_scans|stable_node_(chains|dups)$|general_profit|ksm_zero_pages)/;
/** Nothing a tuner would set, so that it shows whether they are put back. */
const FOREIGN = { pages_to_scan: '123', sleep_millisecs: '33' };
/** Looking costs CPU time that ksmd would have. */
const POLL_MILLIS = 1000;

export function ksmFiles(): KsmFiles {
  return Object.fromEntries(readdirSync(DIRECTORY).map((name) => [name, ksmFile(name)]));
}

export function ksmSettings(): KsmFiles {
  return Object.fromEntries(Object.entries(ksmFiles()).filter(([name]) => !COUNTER.test(name)));
}

export function ksmFile(name: string): string {
  return readFileSync(`${DIRECTORY}/${name}`, 'utf8').trim();
}

/** Nothing is merged and ksmd is off. */
export function startOver(): void {
  for (const [name, value] of Object.entries({ run: '2', ...FOREIGN })) writeFileSync(`${DIRECTORY}/${name}`, value);
  writeFileSync(`${DIRECTORY}/run`, '0');
}

/** Resolves to whether it came true within that time. */
export async function within(seconds: number, probe: () => boolean): Promise<boolean> {
  const end = performance.now() + seconds * 1000;
  while (!probe()) {
    if (performance.now() > end) return false;
    await sleep(POLL_MILLIS);
  }
  return true;
}
