import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { VERBS } from '../../../src/ctl/verbs.js';
import { writeCtlShim } from '../../support/ctlShim.js';
import { runCtl } from '../../support/daemon.js';
import { assertGolden } from '../../support/golden.js';
import { PrivateBus } from '../../support/dbus/privateBus.js';
import { removeScratch, scratchDirectory } from '../../support/scratch.js';
import { startTestGuest } from '../../support/dbus/testDriver.js';

const SHELLS = ['bash', 'zsh', 'fish'] as const;
const VERB_NAMES = Object.keys(VERBS);

/** What samepagectl prints for each shell. */
const scripts = new Map<string, string>();
let directory: string;
let bus: PrivateBus;

before(async () => {
  directory = await scratchDirectory('completion');
  bus = await PrivateBus.start({ libvirt: 'test' });
  const client = await bus.connect();
  for (const name of ['web', 'web server', 'vault']) await startTestGuest(client, name);
  await writeCtlShim(directory);
  await mkdir(join(directory, 'zsh'));
  await mkdir(join(directory, 'subdirectory'));
  for (const shell of SHELLS) {
    const { status, stdout } = await runCtl(['completion', shell]);
    assert.equal(status, 0);
    scripts.set(shell, stdout);
    await writeFile(join(directory, shell === 'zsh' ? 'zsh/_samepagectl' : `samepagectl.${shell}`), stdout);
  }
});

after(async () => {
  await bus.stop();
  await removeScratch(directory);
});

function has(shell: string): boolean {
  return ['/bin', '/usr/bin', '/usr/local/bin'].some((path) => existsSync(join(path, shell)));
}

/** The tests of a shell; without it, that its text is as it was when it was tested there. */
function describeIn(shell: (typeof SHELLS)[number], tests: () => void): void {
  if (has(shell)) return void describe(`completion in ${shell}`, tests);
  it(`the completion in ${shell}, which is not installed, is the text that was tested with it`, () => {
    assertGolden(`completion.${shell}`, scripts.get(shell) ?? '');
  });
}

function run(shell: string, ...args: string[]): string {
  const path = `${directory}:${process.env['PATH'] ?? ''}`;
  return execFileSync(shell, args, { encoding: 'utf8', env: { ...process.env, PATH: path }, timeout: 60_000 });
}

/** One line of each kind; which words the other verbs and options offer is samepagectl's to say, not the shell's. */
interface Line {
  readonly kind: string;
  readonly line: string;
  readonly offered: readonly string[];
}

function linesOf(): readonly Line[] {
  const guests = `samepagectl --bus ${bus.address} --libvirt /org/libvirt/Test guests forbid `;
  return [
    { kind: 'any verb', line: 'samepagectl ', offered: VERB_NAMES },
    { kind: 'a verb that begins so', line: 'samepagectl s', offered: ['status', 'stop'] },
    { kind: 'an option', line: 'samepagectl unmerge --f', offered: ['--force'] },
    { kind: "an option's value", line: 'samepagectl --bus s', offered: ['system', 'session'] },
    { kind: 'a word after an option', line: 'samepagectl policy --json a', offered: ['adaptive', 'advisor'] },
    { kind: 'a word after help', line: 'samepagectl help po', offered: ['policy'] },
    { kind: 'no word', line: 'samepagectl stop ', offered: [] },
    { kind: "guests by libvirt's names", line: guests, offered: ['test', 'vault', 'web', 'web server'] },
  ];
}

/** What a shell offers for each line, from one process of that shell that writes END after each. */
function offersOf(lines: readonly string[], shell: string, ...args: readonly string[]): readonly (readonly string[])[] {
  const output = run(shell, ...args, ...lines);
  const offers = output.split('END\n').map((words) => words.split('\n').filter((word) => word !== ''));
  assert.deepEqual(offers.slice(lines.length), [[]], 'an END for each line');
  return offers.slice(0, lines.length);
}

function assertOffered(found: readonly (readonly string[])[], lines: readonly Line[]): void {
  const sorted = (offers: readonly (readonly string[])[]) =>
    Object.fromEntries(lines.map(({ kind, line }, at) => [`${kind}: [${line}]`, [...(offers[at] ?? [])].sort()]));
  assert.deepEqual(sorted(found), sorted(lines.map(({ offered }) => offered)));
}

describe('the completion scripts', () => {
  for (const shell of SHELLS) {
    it(`the completion script for ${shell} says what it said`, () => {
      assertGolden(`completion.${shell}`, scripts.get(shell) ?? '');
    });
  }
});

describe('completion in bash', () => {
  /** What bash offers for lines that end at the cursor. */
  const bash = (lines: readonly string[]) => {
    const script = `set -u; source "$1"; shift; [[ $(complete -p samepagectl) =~ -F\\ ([^ ]+) ]]
      complete=\${BASH_REMATCH[1]}
      for COMP_LINE; do
        COMP_POINT=\${#COMP_LINE}; $complete samepagectl; printf '%s\\n' "\${COMPREPLY[@]}" END
      done`;
    return offersOf(lines, 'bash', '-c', script, 'bash', join(directory, 'samepagectl.bash'));
  };

  it('completion in bash is a function that does not need more than bash', () => {
    run('bash', '-n', join(directory, 'samepagectl.bash'));
  });

  it('completion in bash offers what can stand at the cursor, quoted for the shell', () => {
    const lines = [
      ...linesOf().map((line) => ({ ...line, offered: line.offered.map((word) => word.replace(' ', '\\ ')) })),
      { kind: 'a value behind an equal sign', line: 'samepagectl --bus=s', offered: ['system', 'session'] },
      { kind: 'a word that nothing begins with', line: 'samepagectl policy xyz', offered: [] },
    ];
    assertOffered(bash(lines.map(({ line }) => line)), lines);
  });

  it('completion in bash offers files and directories', () => {
    const lines = [
      { kind: 'a directory', line: `samepagectl doctor --root ${directory}/zs`, offered: [join(directory, 'zsh')] },
      {
        kind: 'a file',
        line: `samepagectl config check ${directory}/samepagectl.ba`,
        offered: [join(directory, 'samepagectl.bash')],
      },
    ];
    assertOffered(bash(lines.map(({ line }) => line)), lines);
  });
});

describeIn('fish', () => {
  const fish = (lines: readonly string[]) => {
    const script = 'source $argv[1]; for line in $argv[2..]; complete -C $line; echo END; end';
    const offers = offersOf(lines, 'fish', '--no-config', '-c', script, join(directory, 'samepagectl.fish'));
    return offers.map((words) => words.map((word) => word.split('\t')[0] ?? ''));
  };

  it('completion in zsh offers what can stand at the cursor', () => {
    const lines = [
      ...linesOf(),
      { kind: 'a value behind an equal sign', line: 'samepagectl --bus=s', offered: ['--bus=session', '--bus=system'] },
    ];
    assertOffered(fish(lines.map(({ line }) => line)), lines);
  });

  it('completion in zsh offers files and directories', () => {
    const [base, file] = [join(directory, 'zs'), join(directory, 'samepagectl.ba')];
    const lines = [
      { kind: 'a directory', line: `samepagectl doctor --root ${base}`, offered: [`${base}h/`] },
      {
        kind: 'a directory behind an equal sign',
        line: `samepagectl doctor --root=${base}`,
        offered: [`--root=${base}h/`],
      },
      { kind: 'a file', line: `samepagectl config check ${file}`, offered: [`${file}sh`] },
    ];
    assertOffered(fish(lines.map(({ line }) => line)), lines);
  });
});

describeIn('zsh', () => {
  /** Types each line and a tab into one interactive zsh, until it shows the text; then empties the line. */
  const shows = (...lines: readonly (readonly [line: string, text: string])[]): void => {
    const script = `
      zmodload zsh/zpty
      ready() {
        seen=
        until [[ $seen == *READY* ]]; do zpty -r shell part || exit 2; seen+=$part; done
      }
      zpty shell zsh -f -i
      zpty -w shell "PS1='> '; PATH=$PATH; fpath=($1 $fpath); autoload -Uz compinit; compinit -D -u; setopt nobeep; print REA''DY"
      ready
      shift
      for line text; do
        zpty -w -n shell "$line"$'\\t'
        seen=; begin=$SECONDS
        until [[ $seen == *"$text"* ]]; do
          if (( SECONDS - begin >= 20 )); then print -r -- "[$line] $seen" | cat -v; exit 1; fi
          zpty -r -t shell part && seen+=$part || sleep 0.05
        done
        zpty -w shell $'\\C-u'"print REA''DY"
        ready
      done`;
    run('zsh', '-f', '-c', script, 'zsh', join(directory, 'zsh'), ...lines.flat());
  };

  it('the completion script for fish is right as a program', () => {
    run('zsh', '-n', join(directory, 'zsh/_samepagectl'));
  });

  it('completion in fish completes what can stand at the cursor', () => {
    shows(
      ['samepagectl poli', 'cy'],
      ['samepagectl --bus sess', 'ion'],
      ['samepagectl --bus=sess', 'ion'],
      ['samepagectl unmerge --gra', 'dually'],
      ['samepagectl policy --json ada', 'ptive'],
      ['samepagectl help comp', 'letion'],
      [`samepagectl --bus ${bus.address} --libvirt /org/libvirt/Test guests forbid vau`, 'lt'],
      [`samepagectl --bus=${bus.address} --libvirt=/org/libvirt/Test guests forbid vau`, 'lt'],
    );
  });

  it('completion in fish completes files and directories', () => {
    shows(
      [`samepagectl config check ${directory}/samepagectl.fi`, 'sh'],
      [`samepagectl doctor --root ${directory}/subdir`, 'ectory'],
      [`samepagectl doctor --root=${directory}/subdir`, 'ectory'],
    );
  });
});

describe('samepagectl __complete', () => {
  it('samepagectl __complete offers no guest, and says nothing, where nobody answers', async () => {
    for (const options of [
      ['--bus', 'unix:path=/nonexistent/bus'],
      ['--bus', bus.address, '--libvirt', '/org/libvirt/Nonsense'],
    ]) {
      const { status, stderr } = await runCtl(['__complete', ...options, 'guests', 'forbid', '']);
      assert.deepEqual([status, stderr], [0, '']);
    }
  });

  it("samepagectl __complete loads neither D-Bus nor the simulator for an option's value, though it is a bus", async () => {
    const coverage = join(directory, 'coverage');
    const env = { ...process.env, NODE_V8_COVERAGE: coverage };
    // Of the bundle's chunks the names do not say what is in them.
    execFileSync(process.execPath, ['dist/src/ctl/main.js', '__complete', 'status', '--bus', ''], { env });
    const [report = ''] = await readdir(coverage);
    const loaded = await readFile(join(coverage, report), 'utf8');
    assert.match(loaded, /completion\/completer\.js/);
    assert.doesNotMatch(loaded, /dbus-next|src\/(?:dbus\/bus|simulation)/);
  });
});
