import { spawnSync } from 'node:child_process';
import { readFileSync, readSync, writeFileSync, writeSync } from 'node:fs';
import { createServer } from 'node:net';

// Runs on the machine, in place of samepaged under its unit's settings, with Node and nothing else: tries what its argument
// or ATTEMPTS says (a JSON object, name to attempt) and prints the outcomes as one, "done", "empty" or an errno.

export type Attempt =
  | { readonly read: string }
  | { readonly write: string; readonly text: string }
  | { readonly listen: string }
  /** A file of the process that reads ksm_stat. */
  | { readonly reader: string }
  /** Through that process: ksm_stat of a process. */
  | { readonly ask: string }
  | { readonly run: readonly [command: string, ...args: readonly string[]] };

function act(attempt: Attempt): unknown {
  if ('read' in attempt) {
    readAll(attempt.read);
    return undefined;
  }
  if ('reader' in attempt) {
    const [reader = 'none'] = readFileSync('/proc/thread-self/children', 'utf8').split(' ');
    readAll(`/proc/${reader}/${attempt.reader}`);
    return undefined;
  }
  if ('ask' in attempt) {
    const [ask = -1, answer = -1] = (process.env['SAMEPAGED_KSM_STAT'] ?? '').split(' ').map(Number);
    writeSync(ask, `${attempt.ask} ksm_stat\n`);
    const bytes = Buffer.alloc(4096);
    const text = bytes.toString('latin1', 0, readSync(answer, bytes));
    if (!text.includes('ksm_merging_pages')) throw new Error(text);
    return undefined;
  }
  if ('write' in attempt) {
    writeFileSync(attempt.write, attempt.text);
    return undefined;
  }
  if ('run' in attempt) {
    const [command, ...args] = attempt.run;
    const { status, error, stderr } = spawnSync(command, args, { encoding: 'utf8' });
    if (status !== 0) throw error ?? new Error(stderr);
    return undefined;
  }
  const server = createServer();
  return new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, attempt.listen, () => {
      server.close();
      resolve();
    });
  });
}

function readAll(path: string): void {
  // systemd puts an empty file in place of one that is not to be read.
  if (readFileSync(path).length === 0) throw new Error('empty');
}

async function outcome(attempt: Attempt): Promise<string> {
  try {
    await act(attempt);
    return 'done';
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return code ?? message;
  }
}

const outcomes: Record<string, string> = {};
for (const [name, attempt] of Object.entries(
  JSON.parse(process.argv[2] ?? process.env['ATTEMPTS'] ?? '{}') as Record<string, Attempt>,
)) {
  outcomes[name] = await outcome(attempt);
}
process.stdout.write(JSON.stringify(outcomes));
