import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

interface Flag {
  readonly name: string;
  /** What stands for its value. */
  readonly placeholder: string | undefined;
  readonly help: string;
}

/** The options of samepaged, as `samepaged --help` shows them. */
export function daemonFlags(): readonly Flag[] {
  const daemon = fileURLToPath(new URL('../../../src/daemon/main.js', import.meta.url));
  return flagsOf(execFileSync(process.execPath, [daemon, '--help'], { encoding: 'utf8' }));
}

/**
 * Lines as "  --config FILE  read FILE", where a line that is indented further goes on with the one before; of several
 * options in a line each has the same help.
 */
export function flagsOf(help: string): readonly Flag[] {
  const joined = help.replace(/\n {6,}/g, ' ');
  return [...joined.matchAll(/^ {2}(--\S.*?) {2,}(\S.*)$/gm)].flatMap(([, options = '', what = '']) =>
    options.split(', ').map((option) => {
      const [name = '', placeholder] = option.replace(/^--/, '').split(/[ =]/);
      return { name, placeholder, help: what };
    }),
  );
}
