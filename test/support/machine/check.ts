import { test } from 'node:test';
import { eventually } from '../daemon.js';
import type { Machine } from './machine.js';

/** A test of what is on the machine. When it fails, it shows what came into the journal meanwhile. */
export function check(machine: Machine, name: string, body: (since: string) => Promise<void>): void {
  test(name, async (t) => {
    // More starts within some seconds than an administrator's are no fault here.
    await machine.run('systemctl', 'reset-failed');
    const since = await machine.journalEnd();
    try {
      await body(since);
    } catch (error) {
      t.diagnostic(await machine.journal(since).catch(String));
      throw error;
    }
  });
}

/** Waits for samepaged to have written a line to the journal since then. */
export async function untilJournal(machine: Machine, since: string, pattern: RegExp): Promise<void> {
  await eventually(
    async () => (pattern.test(await machine.journal(since, 'samepaged')) ? true : undefined),
    () => `${String(pattern)} did not come into the journal`,
  );
}
