import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { runDaemon } from '../../support/daemon.js';

describe('a command line that samepaged cannot take is refused in one line', { concurrency: true }, () => {
  const rows: [args: string[], line: string][] = [
    [['--dryrun'], 'no option --dryrun; did you mean --dry-run?'],
    [['--confg=x'], 'no option --confg; did you mean --config?'],
    [['--wallpaper'], 'no option --wallpaper; see samepaged --help'],
    [['--root='], '--root is empty; see samepaged --help'],
    [['--config', ''], '--config is empty; see samepaged --help'],
    [['--replay', ''], '--replay is empty; see samepaged --help'],
    [['--root', '/nonexistent'], '--root /nonexistent has no proc and no sys: it must hold a copy of /proc and /sys'],
    [
      ['--bus', 'sesion'],
      '--bus takes system, session or a D-Bus address as unix:path=/run/bus, not "sesion"; did you mean session?',
    ],
    [['--policy', 'adaptive'], '--policy needs --replay: only there is it an option'],
  ];
  for (const [args, line] of rows) {
    it(`samepaged refuses the command line "${args.join(' ')}" in one line`, async () => {
      assert.deepEqual(await runDaemon(args), { status: 64, stdout: '', stderr: `samepaged: ${line}\n` });
    });
  }
});
