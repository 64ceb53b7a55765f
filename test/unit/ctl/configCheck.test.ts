import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { config } from '../../../src/ctl/config.js';
import { HostTree } from '../../support/hostTree.js';
import { inputOf } from '../../support/examples/ctlExamples.js';

async function check(file: string, json = false) {
  const { status, output } = await config.run(inputOf({ words: ['check', file], json }));
  return { status, output: output.replaceAll(file, 'FILE') };
}

describe('samepagectl config check', () => {
  const rows: { name: string; text: string; status: number; output: string }[] = [
    {
      name: 'a good file',
      text: 'KSM_NPAGES_MAX=300\nDEBUG=1\n',
      status: 0,
      output: 'FILE can be used: 2 keys set',
    },
    { name: 'an empty file', text: '', status: 0, output: 'FILE can be used: 0 keys set' },
    {
      name: 'a file with a warning',
      text: 'KSM_NPAGE_MAX=300\n',
      status: 0,
      output:
        'FILE:1: unknown key KSM_NPAGE_MAX; did you mean KSM_NPAGES_MAX? (ignored)\nFILE can be used: 0 keys set, 1 warning',
    },
    {
      name: 'a bad file',
      text: 'KSM_WHEN=never\n\nKSM_THRES_COEF=`id`\n',
      status: 78,
      output:
        'FILE:1: KSM_WHEN=never: expected one of needed, always\n' +
        'FILE:3: "`id`" needs a shell; this file is read, not run: write the plain value\nFILE cannot be used',
    },
  ];
  for (const { name, text, status, output } of rows) {
    test(`samepagectl config check of ${name} has the right output and exit status`, async () => {
      using tree = HostTree.create('no-ksm');
      tree.write('a.conf', text);
      const file = `${tree.root}/a.conf`;
      assert.deepEqual(await check(file), { status, output });
      const json = await check(file, true);
      assert.equal(json.status, status);
      assert.deepEqual(JSON.parse(json.output), {
        file: 'FILE',
        usable: status === 0,
        problems: output.split('\n').slice(0, -1),
      });
    });
  }

  test('samepagectl config check reads drop-ins too', async () => {
    using tree = HostTree.create('no-ksm');
    tree.write('a.conf', '');
    tree.write('a.conf.d/50-x.conf', 'KSM_WHEN=never\n');
    const { status, output } = await check(`${tree.root}/a.conf`);
    assert.equal(status, 78);
    assert.match(output, /FILE\.d\/50-x\.conf:1: KSM_WHEN=never/);
  });

  test('samepagectl config check refuses a file that is not there, and a directory', async () => {
    assert.deepEqual(await check('/nonexistent/a.conf'), {
      status: 78,
      output: 'FILE: there is no such file\nFILE cannot be used',
    });
    const directory = await check('/etc');
    assert.equal(directory.status, 78);
    assert.match(directory.output, /^FILE: cannot be read \(it is a directory and no regular file\)/);
  });
});
