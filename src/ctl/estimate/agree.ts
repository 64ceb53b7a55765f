import { createInterface } from 'node:readline/promises';
import { UsageError, type VerbInput } from '../verb.js';

type Stream<Kind> = Kind & { readonly isTTY?: boolean };

/** Where the question is asked, and answered. */
export interface Asked {
  readonly input: Stream<NodeJS.ReadableStream>;
  readonly output: Stream<NodeJS.WritableStream>;
}

/** Says what will be done, and asks whether to do it. @throws Error unless the answer is yes, UsageError without a terminal. */
export async function agree(
  { yes, notice }: Pick<VerbInput, 'yes' | 'notice'>,
  warning: string,
  { input, output }: Asked = { input: process.stdin, output: process.stderr },
): Promise<void> {
  notice(warning);
  if (yes) return;
  if (input.isTTY !== true || output.isTTY !== true)
    throw new UsageError('there is no terminal to ask on: --yes goes on without asking');
  const lines = createInterface({ input, output });
  // Ctrl-D closes without an answer, and Ctrl-C rejects the question.
  const closed = new Promise<string>((resolve) =>
    lines.once('close', () => {
      resolve('');
    }),
  );
  const answer = await Promise.race([lines.question('Go on? [y/N] ').catch(() => ''), closed]).finally(() => {
    lines.close();
  });
  if (!/^y(es)?$/i.test(answer.trim())) throw new Error('nothing was done');
}
