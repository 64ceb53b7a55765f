import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';

// Runs on the machine, instead of samepaged under its unit's settings, with Node and nothing else: tries what its
// arguments say (a JSON object, name to attempt) and prints the outcomes as one, "done", "empty" or an errno.

export type Attempt =
  | { readonly read: string }
  | { readonly write: string; readonly text: string }
  | { readonly listen: string }
  | { readonly run: readonly [command: string, ...args: readonly string[]] };

function act(attempt: Attempt): unknown {
  if ('read' in attempt) {
    // systemd puts an empty file instead of one that is not to be read.
    if (readFileSync(attempt.read).length === 0) throw new Error('empty');
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
for (const [name, attempt] of Object.entries(JSON.parse(process.argv[2] ?? '{}') as Record<string, Attempt>)) {
  outcomes[name] = await outcome(attempt);
}
process.stdout.write(JSON.stringify(outcomes));
