import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { parseAssignments } from '../../../src/config/syntax.js';

/** What a text sets, as [line, key, value]; it must be without complaints. */
function settings(text: string): [number, string, string][] {
  const { assignments, complaints } = parseAssignments(text);
  assert.deepEqual(complaints, []);
  return assignments.map(({ line, key, value }) => [line, key, value]);
}

describe('what can be read', () => {
  const rows: { name: string; text: string; set: [number, string, string][] }[] = [
    { name: 'nothing', text: '', set: [] },
    { name: 'empty lines and blanks', text: '\n  \n\t\n', set: [] },
    { name: 'a comment', text: '# KSM_SLEEP_MSEC=10\n   # another', set: [] },
    { name: 'a value', text: 'A=1', set: [[1, 'A', '1']] },
    { name: 'an empty value', text: 'A=', set: [[1, 'A', '']] },
    {
      name: 'an empty value before another',
      text: 'A= B=2',
      set: [
        [1, 'A', ''],
        [1, 'B', '2'],
      ],
    },
    { name: 'blanks before it', text: '  \tA=1', set: [[1, 'A', '1']] },
    { name: 'blanks after it', text: 'A=1 \t', set: [[1, 'A', '1']] },
    { name: 'a comment after it', text: 'A=1 # one', set: [[1, 'A', '1']] },
    { name: 'a # within it', text: 'A=1#2', set: [[1, 'A', '1#2']] },
    { name: 'a # at its beginning', text: 'A=#1', set: [[1, 'A', '#1']] },
    { name: 'a negative number', text: 'KSM_NPAGES_DECAY=-50', set: [[1, 'KSM_NPAGES_DECAY', '-50']] },
    { name: 'an = within it', text: 'A=b=c', set: [[1, 'A', 'b=c']] },
    { name: 'double quotes', text: 'A="2 G"', set: [[1, 'A', '2 G']] },
    { name: 'single quotes', text: "A='2 G'", set: [[1, 'A', '2 G']] },
    {
      name: 'empty quotes',
      text: `A="" B=''`,
      set: [
        [1, 'A', ''],
        [1, 'B', ''],
      ],
    },
    { name: 'quotes within it', text: `A=a'b'"c"d`, set: [[1, 'A', 'abcd']] },
    {
      name: 'quotes of the other kind',
      text: `A="it's" B='"b"'`,
      set: [
        [1, 'A', "it's"],
        [1, 'B', '"b"'],
      ],
    },
    { name: 'a quoted #', text: "A='# b'", set: [[1, 'A', '# b']] },
    { name: 'single quotes take everything', text: "A='$(x) `y` $z \\ \"'", set: [[1, 'A', '$(x) `y` $z \\ "']] },
    { name: 'a backslash outside of quotes', text: String.raw`A=a\ b\$c\#d`, set: [[1, 'A', 'a b$c#d']] },
    { name: 'a backslash in double quotes', text: 'A="\\"\\\\\\$\\`"', set: [[1, 'A', '"\\$`']] },
    { name: 'a backslash before another letter in double quotes', text: String.raw`A="\n"`, set: [[1, 'A', '\\n']] },
    { name: 'a backslash in single quotes', text: String.raw`A='\'`, set: [[1, 'A', '\\']] },
    { name: 'export', text: 'export A=1', set: [[1, 'A', '1']] },
    { name: 'export and a tab', text: 'export\tA=1', set: [[1, 'A', '1']] },
    {
      name: 'export of several',
      text: 'export A=1 B=2',
      set: [
        [1, 'A', '1'],
        [1, 'B', '2'],
      ],
    },
    {
      name: 'several on a line',
      text: 'A=1 B="2 3"\tC=4',
      set: [
        [1, 'A', '1'],
        [1, 'B', '2 3'],
        [1, 'C', '4'],
      ],
    },
    {
      name: 'the same key twice, in order',
      text: 'A=1\nA=2',
      set: [
        [1, 'A', '1'],
        [2, 'A', '2'],
      ],
    },
    { name: 'line numbers count comments', text: '# one\n\nA=1', set: [[3, 'A', '1']] },
    {
      name: 'no newline at the end',
      text: 'A=1\nB=2',
      set: [
        [1, 'A', '1'],
        [2, 'B', '2'],
      ],
    },
    {
      name: 'CRLF',
      text: 'A=1\r\nB="2"\r\n# c\r\n\r\n',
      set: [
        [1, 'A', '1'],
        [2, 'B', '2'],
      ],
    },
    { name: 'a byte order mark', text: '\uFEFFA=1', set: [[1, 'A', '1']] },
    { name: 'text of any language', text: "A='größe 大'", set: [[1, 'A', 'größe 大']] },
    { name: 'names with digits and underscores', text: '_a1=x', set: [[1, '_a1', 'x']] },
    { name: 'a key called export', text: 'export=1', set: [[1, 'export', '1']] },
    { name: 'export of nothing', text: 'export ', set: [] },
  ];
  for (const { name, text, set } of rows) {
    test(`a configuration file is read: ${name}`, () => {
      assert.deepEqual(settings(text), set);
    });
  }

  test("the sample file, Debian's with the keys of the policies, sets nothing", () => {
    assert.deepEqual(settings(readFileSync('fixtures/ksmtuned.conf', 'utf8')), []);
  });

  test('the shipped file without its comment signs sets every key that it names to the default', () => {
    const text = readFileSync('fixtures/ksmtuned.conf', 'utf8').replaceAll(/^# (?=[A-Z_]+=)/gm, '');
    assert.equal(
      settings(text)
        .map(([, key, value]) => `${key}=${value}`)
        .join(' '),
      'KSM_MONITOR_INTERVAL=60 KSM_SLEEP_MSEC=10 KSM_NPAGES_BOOST=300 KSM_NPAGES_DECAY=-50 KSM_NPAGES_MIN=64 ' +
        'KSM_NPAGES_MAX=1250 KSM_THRES_COEF=20 KSM_THRES_CONST=2048 LOGFILE=/var/log/samepaged/ksmtuned.log DEBUG=1 ' +
        'KSM_POLICY=ksmtuned KSM_CPU_MAX=50 KSM_PROBE_MAX=600',
    );
  });
});

describe('what would need a shell is refused with its line', () => {
  const rows: { name: string; line: string; message: RegExp }[] = [
    { name: 'a command substitution', line: 'A=$(nproc)', message: /"\$\(nproc\)" needs a shell/ },
    { name: 'backquotes', line: 'A=`nproc`', message: /"`nproc`" needs a shell/ },
    { name: 'arithmetic', line: 'A=$((60 * 2))', message: /"\$\(\(60 \* 2\)\)" needs a shell/ },
    { name: 'old arithmetic', line: 'A=$[1+1]', message: /needs a shell/ },
    { name: 'a variable', line: 'A=$HOME/x', message: /"\$HOME\/x" needs a shell/ },
    { name: 'a variable in braces', line: 'A=${B:-60}', message: /needs a shell/ },
    { name: 'a variable in double quotes', line: 'A="x $HOME"', message: /needs a shell/ },
    { name: 'a command in double quotes', line: 'A="$(nproc)"', message: /needs a shell/ },
    { name: 'backquotes in double quotes', line: 'A="`nproc`"', message: /needs a shell/ },
    { name: 'ANSI-C quotes', line: String.raw`A=$'a\tb'`, message: /needs a shell/ },
    { name: 'a translated string', line: 'A=$"text"', message: /needs a shell/ },
    { name: 'a second command', line: 'A=1; B=2', message: /needs a shell/ },
    { name: '&&', line: 'A=1 && B=2', message: /not KEY=VALUE/ },
    { name: '&& without a blank', line: 'A=1&&B=2', message: /needs a shell/ },
    { name: '||', line: 'A=1||B=2', message: /needs a shell/ },
    { name: 'background', line: 'A=1&', message: /needs a shell/ },
    { name: 'a pipe', line: 'A=1|cat', message: /needs a shell/ },
    { name: 'a redirection', line: 'A=1>/tmp/x', message: /needs a shell/ },
    { name: 'a redirection from', line: 'A=</etc/x', message: /needs a shell/ },
    { name: 'an array', line: 'A=(1 2)', message: /needs a shell/ },
    { name: 'an array element', line: 'A[0]=1', message: /not KEY=VALUE/ },
    { name: 'an addition', line: 'A+=1', message: /not KEY=VALUE/ },
    { name: 'a home directory', line: 'LOGFILE=~/ksmtuned.log', message: /needs a shell/ },
    { name: 'a test', line: '[ -f /etc/x ] && A=1', message: /not KEY=VALUE/ },
    { name: 'a condition', line: 'if true; then A=1; fi', message: /not KEY=VALUE/ },
    { name: 'a function', line: 'f() { A=1; }', message: /not KEY=VALUE/ },
    { name: 'another file', line: '. /etc/default/x', message: /not KEY=VALUE/ },
    { name: 'a command', line: 'echo 1', message: /not KEY=VALUE/ },
    { name: 'a command after a value', line: 'A=1 echo 1', message: /not KEY=VALUE/ },
    { name: 'let', line: 'let A=1+1', message: /not KEY=VALUE/ },
    { name: 'declare', line: 'declare -i A=1', message: /not KEY=VALUE/ },
    { name: 'an option of export', line: 'export -n A=1', message: /not KEY=VALUE/ },
    { name: 'export twice', line: 'export export A=1', message: /not KEY=VALUE/ },
    { name: 'a value that goes on in the next line', line: 'A=1\\', message: /ends in a backslash/ },
    { name: 'a space before the =', line: 'A = 1', message: /space beside "="/ },
    { name: 'a space after the =', line: 'A= 1', message: /space beside "="/ },
    { name: 'no closing double quote', line: 'A="1', message: /no closing "/ },
    { name: 'no closing single quote', line: "A='1", message: /no closing '/ },
    { name: 'a name that begins with a digit', line: '1A=1', message: /not KEY=VALUE/ },
    { name: 'a name with a hyphen', line: 'KSM-SLEEP=1', message: /not KEY=VALUE/ },
    { name: 'no name', line: '=1', message: /not KEY=VALUE/ },
    { name: 'a NUL byte', line: 'A=\0', message: /NUL/ },
    { name: 'a NUL byte in a comment', line: '# \0', message: /NUL/ },
  ];
  for (const { name, line, message } of rows) {
    for (const end of ['\n', '\r\n']) {
      test(`a line with ${name} is refused${end === '\n' ? '' : ', also with CRLF'}`, () => {
        const { assignments, complaints } = parseAssignments(['OK=1', '', line, 'LAST=2'].join(end));
        assert.deepEqual(
          complaints.map((complaint) => complaint.line),
          [3],
        );
        assert.match(complaints[0]?.message ?? '', message);
        assert.deepEqual(
          assignments.filter(({ line: at }) => at !== 3),
          [
            { key: 'OK', value: '1', line: 1 },
            { key: 'LAST', value: '2', line: 4 },
          ],
          'the other lines are read',
        );
      });
    }
  }
});
