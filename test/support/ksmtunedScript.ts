// Runs the real ksmtuned shell script on faked inputs: the reference of the differential test and of the benchmark.
import { execFile, type ExecFileOptions } from 'node:child_process';
import { access, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';

const installedScript = '/usr/sbin/ksmtuned';

/** What the script finds. `conf` is written as ksmtuned.conf; figures are kB and must be integers, as in /proc/meminfo. */
export interface ScriptCase {
  conf: Record<string, number>;
  totalKb: number;
  steps: { committedKb: number; memFreeKb: number; buffersKb: number; cachedKb: number }[];
}

/** The three files after one `adjust`, and whether `adjust` said that it started ksmd. */
export interface ScriptStep {
  run: number;
  pagesToScan: number;
  sleepMillisecs: number;
  started: boolean;
}

/** `steps` is shorter than the case's when the script died on the way; `stderr` then says why. */
export interface ScriptResult {
  steps: ScriptStep[];
  stderr: string;
}

/**
 * Path of the unmodified script: the installed one, else the one from Debian's package, unpacked into a cache and never
 * installed (installing starts a second tuner on a real host). Throws one line when it cannot be had.
 */
export async function obtainKsmtuned(options: { ignoreInstalled?: boolean } = {}): Promise<string> {
  if (options.ignoreInstalled !== true && (await exists(installedScript))) return installedScript;
  const cache = resolve('node_modules/.cache/samepaged/ksmtuned');
  const cached = join(cache, 'ksmtuned');
  if (await exists(cached)) return cached;
  await mkdir(cache, { recursive: true });
  return inScratch(join(cache, 'download-'), async (scratch) => {
    try {
      // As root, apt would download as the user _apt, who cannot write here, and warn about it.
      await execute('apt-get', ['-q', '-o', 'APT::Sandbox::User=root', 'download', 'ksmtuned'], { cwd: scratch });
      const packageFile = (await readdir(scratch)).find((name) => name.endsWith('.deb'));
      if (packageFile === undefined) throw new Error('apt-get left no package file');
      await execute('dpkg-deb', ['-x', packageFile, '.'], { cwd: scratch });
      // A rename, so that test files running at the same time see the whole script or none.
      await rename(join(scratch, installedScript), cached);
    } catch (error) {
      const why = error instanceof Error ? error.message.trim().split('\n').at(-1) : String(error);
      throw new Error(`ksmtuned: no ${installedScript}, and no package from apt: ${why}`, { cause: error });
    }
    return cached;
  });
}

/**
 * Each case starts with run=0, pages_to_scan=100, sleep_millisecs=20 in a shell of its own. `awk` is the system's awk
 * unless named. It matters: Debian's mawk prints a free memory of 2^31 kB and more as 2.14748e+09, which the script
 * cannot compare. The faked committed memory does not pass through awk.
 */
export async function runKsmtuned(
  script: string,
  cases: readonly ScriptCase[],
  awk?: 'mawk' | 'gawk',
): Promise<ScriptResult[]> {
  const text = sandboxed(await readFile(script, 'utf8'))
    .replace(/^committed_memory \(\) \{\n.*?^\}$/ms, (original) => {
      // As many lines as before: line numbers in stderr stay those of the script.
      return 'committed_memory () { echo "$faked_committed"; }' + original.replace(/[^\n]/g, '');
    })
    .replaceAll('/proc/meminfo', './meminfo');
  if (!text.includes('$faked_committed')) throw new Error('ksmtuned: the script has no committed_memory to replace');
  const share = Math.max(1, Math.ceil(cases.length / availableParallelism()));
  const shares = Array.from({ length: Math.ceil(cases.length / share) }, (_, i) =>
    cases.slice(i * share, (i + 1) * share),
  );
  return (await Promise.all(shares.map((part) => replay(text, part, awk)))).flat();
}

/**
 * CPU time (user and system, with pgrep, ps and awk) of one `adjust` under the default configuration, its real
 * committed_memory and this host's /proc; only the writes go to a temporary directory. `times` adjusts are averaged.
 */
export async function timeKsmtunedAdjust(script: string, times: number): Promise<{ cpuMillisPerAdjust: number }> {
  const driver = `. ./ksmtuned\ntimes\nfor ((faked = 0; faked < ${times}; faked++)); do adjust >&2; done\ntimes\n`;
  const { stdout, stderr } = await bash(sandboxed(await readFile(script, 'utf8')), driver);
  if (stderr !== '') throw new Error(`ksmtuned: ${stderr}`);
  // Twice the same four figures: user and system of the shell, then of its children.
  const millis = Array.from(stdout.matchAll(/(\d+)m([\d.]+)s/g), ([, m, s]) => Number(m) * 60_000 + Number(s) * 1000);
  if (millis.length !== 8) throw new Error(`ksmtuned: unexpected output of bash's times: ${stdout}`);
  const spent = millis.reduce((sum, figure, i) => sum + (i < 4 ? -figure : figure), 0);
  return { cpuMillisPerAdjust: spent / times };
}

/** The script's own text up to the tail that starts the loop, on files of the working directory. */
function sandboxed(script: string): string {
  const text = script
    .replace(/^PIDFILE=.*/ms, '')
    .replaceAll('/sys/kernel/mm/ksm', '.')
    .replaceAll('/etc/ksmtuned.conf', './ksmtuned.conf');
  // A script of another make must not reach the real ksmd, nor start its loop.
  if (!/^adjust \(\)/m.test(text) || /\/sys\/|^\s*loop\b(?! \(\))/m.test(text)) {
    throw new Error('ksmtuned: not the script that this harness knows');
  }
  return text;
}

// replay CONF TOTAL [COMMITTED FREE BUFFERS CACHED]...: the parentheses make it a subshell, so nothing survives a case.
// Per case it prints "run:pages:sleep:status" lines, NUL, the script's stderr, NUL. Bash builtins only, for speed.
const replayDriver = String.raw`
replay() (
  printf '%s' "$1" >ksmtuned.conf
  echo 0 >run; echo 100 >pages_to_scan; echo 20 >sleep_millisecs
  faked_total=$2
  shift 2
  printf 'MemTotal: %s kB\n' "$faked_total" >meminfo
  . ./ksmtuned >&2
  while [ $# -gt 0 ]; do
    faked_committed=$1
    printf 'MemTotal: %s kB\nMemFree: %s kB\nBuffers: %s kB\nCached: %s kB\n' "$faked_total" "$2" "$3" "$4" >meminfo
    shift 4
    adjust >&2
    faked_status=$?
    read -r faked_run <run; read -r faked_pages <pages_to_scan; read -r faked_sleep <sleep_millisecs
    echo "$faked_run:$faked_pages:$faked_sleep:$faked_status"
  done
)
case_of() {
  replay "$@" 2>stderr
  IFS= read -rd '' faults <stderr
  printf '\0%s\0' "$faults"
}
`;

async function replay(text: string, cases: readonly ScriptCase[], awk: string | undefined): Promise<ScriptResult[]> {
  const chooseAwk =
    awk === undefined
      ? ''
      : `command -v ${awk} >/dev/null || { echo "${awk} is not installed" >&2; exit 1; }\nawk() { ${awk} "$@"; }\n`;
  const calls = cases.map(({ conf, totalKb, steps }) => {
    const lines = Object.entries(conf).map(([key, value]) => `${key}=${value}\n`);
    const figures = steps.flatMap((step) => [step.committedKb, step.memFreeKb, step.buffersKb, step.cachedKb]);
    return `case_of '${lines.join('')}' ${[totalKb, ...figures].join(' ')}\n`;
  });
  const { stdout, stderr } = await bash(text, chooseAwk + replayDriver + calls.join(''));
  const fields = stdout.split('\0');
  if (stderr !== '' || fields.length !== 2 * cases.length + 1) throw new Error(`ksmtuned: harness failed: ${stderr}`);
  return cases.map((_, i) => ({
    steps: (fields[2 * i] ?? '').split('\n').slice(0, -1).map(parseStep),
    stderr: fields[2 * i + 1] ?? '',
  }));
}

function parseStep(line: string): ScriptStep {
  if (!/^-?\d+:-?\d+:-?\d+:[01]$/.test(line)) throw new Error(`ksmtuned: run:pages:sleep:status are ${line}`);
  const [run = NaN, pagesToScan = NaN, sleepMillisecs = NaN, status] = line.split(':').map(Number);
  return { run, pagesToScan, sleepMillisecs, started: status === 0 };
}

/** Runs `driver` in a new directory that holds the script as ./ksmtuned. No KSM_* or DEBUG of the caller gets in. */
function bash(script: string, driver: string): Promise<{ stdout: string; stderr: string }> {
  return inScratch(join(tmpdir(), 'samepaged-ksmtuned-'), async (scratch) => {
    await Promise.all([writeFile(join(scratch, 'ksmtuned'), script), writeFile(join(scratch, 'driver'), driver)]);
    const env = { PATH: process.env['PATH'], LC_ALL: 'C' };
    return execute('/bin/bash', ['driver'], { cwd: scratch, env });
  });
}

function execute(file: string, args: string[], options: ExecFileOptions): Promise<{ stdout: string; stderr: string }> {
  return promisify(execFile)(file, args, { ...options, encoding: 'utf8', maxBuffer: 2 ** 30 });
}

async function inScratch<T>(prefix: string, work: (directory: string) => Promise<T>): Promise<T> {
  const directory = await mkdtemp(prefix);
  try {
    return await work(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
