import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { POLICY_WORDS } from '../../../src/ctl/policy.js';
import { OPTIONS } from '../../../src/ctl/verb.js';
import { VERBS } from '../../../src/ctl/verbs.js';
import { writeCtlShim } from '../../support/ctlShim.js';
import { runCtl } from '../../support/daemon.js';
import { assertGolden } from '../../support/golden.js';
import { PrivateBus } from '../../support/dbus/privateBus.js';
import { removeScratch, scratchDirectory } from '../../support/scratch.js';
import { startTestGuest } from '../../support/dbus/testDriver.js';

const SHELLS = ['bash', 'zsh', 'fish'] as const;
const VERB_NAMES = Object.keys(VERBS);
const FLAGS = Object.keys(OPTIONS).map((name) => `--${name}`);

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
    const { stdout } = await runCtl(['completion', shell]);
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
  it(`completion in ${shell}, which is not here: the text that was tested with it`, async () => {
    assertGolden(`completion.${shell}`, (await runCtl(['completion', shell])).stdout);
  });
}

function run(shell: string, ...args: string[]): string {
  const path = `${directory}:${process.env['PATH'] ?? ''}`;
  return execFileSync(shell, args, { encoding: 'utf8', env: { ...process.env, PATH: path }, timeout: 60_000 });
}

/** What bash offers for a line that ends at the cursor. */
function bash(line: string): readonly string[] {
  const script = `set -u; source "$1"; COMP_LINE=$2; COMP_POINT=\${#2}
    $(complete -p samepagectl | sed 's/.* -F \\([^ ]*\\) .*/\\1/') samepagectl
    printf '%s\\n' "\${COMPREPLY[@]}"`;
  const output = run('bash', '-c', script, 'bash', join(directory, 'samepagectl.bash'), line);
  return output.split('\n').filter((word) => word !== '');
}

/** What every shell should offer. */
const LINES: readonly (readonly [line: string, offered: readonly string[]])[] = [
  ['samepagectl ', VERB_NAMES],
  ['samepagectl s', ['status', 'stop']],
  ['samepagectl --bus ', ['system', 'session']],
  ['samepagectl --bus s', ['system', 'session']],
  ['samepagectl --bus session po', ['policy']],
  ['samepagectl policy ', POLICY_WORDS],
  ['samepagectl policy --json a', ['adaptive', 'advisor']],
  ['samepagectl guests ', ['forbid', 'allow']],
  ['samepagectl help po', ['policy']],
  ['samepagectl completion ', ['bash', 'zsh', 'fish']],
  ['samepagectl config ', ['check']],
  ['samepagectl status --', ['--bus', '--json', '--help']],
  ['samepagectl unmerge --f', ['--force']],
  ['samepagectl doctor --libvirt ', ['/org/libvirt/QEMU', 'none']],
  ['samepagectl pause ', ['10m', '1h', '8h']],
];

describe('the completion scripts', () => {
  for (const shell of SHELLS) {
    it(`for ${shell} says what it said`, async () => {
      const { status, stdout } = await runCtl(['completion', shell]);
      assert.equal(status, 0);
      assertGolden(`completion.${shell}`, stdout);
    });
  }
});

describe('completion in bash', () => {
  it('is a function that does not need more than bash', () => {
    run('bash', '-n', join(directory, 'samepagectl.bash'));
  });

  for (const [line, offered] of LINES) {
    it(`[${line}]`, () => {
      assert.deepEqual(bash(line), offered);
    });
  }

  const more: readonly (readonly [line: string, offered: readonly string[]])[] = [
    ['samepagectl stop ', []],
    ['samepagectl policy adaptive ', []],
    ['samepagectl dance ', []],
    ['samepagectl --', [...FLAGS, '--help', '--version']],
    ['samepagectl --bus=s', ['system', 'session']],
    ['samepagectl policy xyz', []],
  ];
  for (const [line, offered] of more) {
    it(`[${line}]`, () => {
      assert.deepEqual(bash(line), offered);
    });
  }

  it('files and directories', () => {
    const base = join(directory, 'zs');
    assert.deepEqual(bash(`samepagectl doctor --root ${base}`), [join(directory, 'zsh')]);
    assert.deepEqual(bash(`samepagectl config check ${join(directory, 'samepagectl.ba')}`), [
      join(directory, 'samepagectl.bash'),
    ]);
  });

  it("guests by libvirt's names, quoted for the shell", () => {
    const line = `samepagectl --bus ${bus.address} --libvirt /org/libvirt/Test guests forbid `;
    assert.deepEqual([...bash(line)].sort(), ['test', 'vault', 'web', String.raw`web\ server`]);
    assert.deepEqual([...bash(`${line}v`)], ['vault']);
  });
});

describeIn('fish', () => {
  const fish = (line: string): readonly string[] => {
    const script = 'source $argv[1]; complete -C $argv[2]';
    const output = run('fish', '--no-config', '-c', script, join(directory, 'samepagectl.fish'), line);
    return output
      .split('\n')
      .filter((word) => word !== '')
      .map((word) => word.split('\t')[0] ?? '');
  };

  for (const [line, offered] of LINES) {
    it(`[${line}]`, () => {
      assert.deepEqual([...fish(line)].sort(), [...offered].sort());
    });
  }

  it('files and directories', () => {
    const base = join(directory, 'zs');
    for (const line of [`samepagectl doctor --root ${base}`, `samepagectl doctor --root=${base}`]) {
      assert.deepEqual(fish(line), [`${line.replace(/^.* /, '')}h/`]);
    }
    const file = join(directory, 'samepagectl.ba');
    assert.deepEqual(fish(`samepagectl config check ${file}`), [`${file}sh`]);
  });

  it('values behind an equal sign', () => {
    assert.deepEqual([...fish('samepagectl --bus=s')].sort(), ['--bus=session', '--bus=system']);
  });

  it("guests by libvirt's names", () => {
    const line = `samepagectl --bus ${bus.address} --libvirt /org/libvirt/Test guests forbid `;
    assert.deepEqual([...fish(line)].sort(), ['test', 'vault', 'web', 'web server']);
  });
});

describeIn('zsh', () => {
  /** Types `line` and a tab into an interactive zsh, until it shows `text`. */
  const shows = (line: string, text: string): void => {
    const script = `
      zmodload zsh/zpty
      zpty shell zsh -f -i
      zpty -w shell "PS1='> '; PATH=$PATH; fpath=($1 $fpath); autoload -Uz compinit; compinit -D -u; setopt nobeep; print REA''DY"
      until [[ $seen == *READY* ]]; do zpty -r shell part || exit 2; seen+=$part; done
      zpty -w -n shell "$2"$'\\t'
      seen=; begin=$SECONDS
      while (( SECONDS - begin < 20 )); do
        zpty -r -t shell part && seen+=$part || sleep 0.05
        [[ $seen == *"$3"* ]] && exit 0
      done
      print -r -- "$seen" | cat -v
      exit 1`;
    run('zsh', '-f', '-c', script, 'zsh', join(directory, 'zsh'), line, text);
  };

  it('is right as a program', () => {
    run('zsh', '-n', join(directory, 'zsh/_samepagectl'));
  });

  for (const [line, text] of [
    ['samepagectl poli', 'cy'],
    ['samepagectl policy ada', 'ptive'],
    ['samepagectl --bus sess', 'ion'],
    ['samepagectl guests fo', 'rbid'],
    ['samepagectl unmerge --gra', 'dually'],
    ['samepagectl help comp', 'letion'],
    ['samepagectl --bus=sess', 'ion'],
  ] as const) {
    it(`[${line}]`, () => {
      shows(line, text);
    });
  }

  it('files and directories', () => {
    shows(`samepagectl config check ${directory}/samepagectl.fi`, 'sh');
    shows(`samepagectl doctor --root ${directory}/subdir`, 'ectory');
    shows(`samepagectl doctor --root=${directory}/subdir`, 'ectory');
  });

  it("guests by libvirt's names", () => {
    shows(`samepagectl --bus ${bus.address} --libvirt /org/libvirt/Test guests forbid vau`, 'lt');
    shows(`samepagectl --bus=${bus.address} --libvirt=/org/libvirt/Test guests forbid vau`, 'lt');
  });
});

describe('samepagectl __complete', () => {
  it('offers no guest, and says nothing, where nobody answers', async () => {
    for (const options of [
      ['--bus', 'unix:path=/nonexistent/bus'],
      ['--bus', bus.address, '--libvirt', '/org/libvirt/Nonsense'],
    ]) {
      const { status, stderr } = await runCtl(['__complete', ...options, 'guests', 'forbid', '']);
      assert.deepEqual([status, stderr], [0, '']);
    }
  });

  it('loads neither D-Bus nor the simulator for verbs, options and their values', async () => {
    for (const words of [[''], ['status', '--'], ['--bus', ''], ['policy', '']]) {
      const coverage = join(directory, 'coverage');
      const env = { ...process.env, NODE_V8_COVERAGE: coverage };
      // Of the bundle's chunks the names do not say what is in them.
      execFileSync(process.execPath, ['dist/src/ctl/main.js', '__complete', ...words], { env });
      const [report = ''] = await readdir(coverage);
      const loaded = await readFile(join(coverage, report), 'utf8');
      assert.match(loaded, /completion\/completer\.js/);
      assert.doesNotMatch(loaded, /dbus-next|src\/(?:dbus\/bus|simulation)/);
      await removeScratch(coverage);
    }
  });
});
