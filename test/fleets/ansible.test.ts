import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { Tools } from '../support/fleet/tools.js';
import { PYTHON_APT } from '../support/fleet/toolsImage.js';
import { Machine } from '../support/machine/machine.js';
import { KSMTUNED_PACKAGE } from '../support/machine/machineImage.js';
import { removeScratch, scratchDirectory } from '../support/scratch.js';

const execFileAsync = promisify(execFile);

const CONFIG = 'KSM_THRES_COEF=30\n';
const DROP_IN = '/etc/ksmtuned.conf.d/50-ansible.conf';
const PLAY = '- hosts: all\n  gather_facts: false\n  roles: [samepaged]\n';

describe('the Ansible role', () => {
  let machine: Machine;
  let tools: Tools;

  /** What a play says: its recap's counts, and all of it. */
  const play = async (file: string, ...args: readonly string[]) => {
    const command = ['env', 'ANSIBLE_ROLES_PATH=/root/ansible/roles', 'ANSIBLE_NOCOLOR=1', 'ansible-playbook'];
    const [program = '', ...rest] = [...command, '-i', '/root/ansible/inventory', file, ...args];
    const text = await tools.run(program, ...rest);
    const count = (name: string) => Number(new RegExp(`^target .*\\b${name}=(\\d+)`, 'm').exec(text)?.[1]);
    return { text, changed: count('changed'), failed: count('failed') };
  };
  const settings = (values: Readonly<Record<string, string | number>>) => [
    '--extra-vars',
    JSON.stringify({ samepaged_settings: values }),
  ];

  before(async () => {
    tools = await Tools.start({ sharesHost: true });
    machine = await Machine.boot();
    const scratch = await scratchDirectory('role');
    await execFileAsync('deploy/package.sh', [scratch]);
    const name = readdirSync(scratch).find((each) => each.startsWith('samepaged_')) ?? '';
    await tools.copy('deploy/ansible', '/root/ansible');
    await tools.copy(join(scratch, name), '/root/ansible/samepaged.deb');
    await removeScratch(scratch);
    const target = `ansible_connection=community.docker.nsenter ansible_nsenter_pid=${machine.leader}`;
    const file = 'samepaged_package_file=/root/ansible/samepaged.deb';
    await tools.write(
      '/root/ansible/inventory',
      `target ${target} ansible_python_interpreter=/usr/bin/python3 ${file}\n`,
    );
    await tools.write('/root/ansible/play.yml', PLAY);
    for (const each of readdirSync(tools.path(PYTHON_APT))) {
      const text = await tools.run('base64', `${PYTHON_APT}/${each}`);
      await machine.write(`/opt/${each}.base64`, text);
      await machine.run('sh', '-c', `base64 --decode /opt/${each}.base64 >/opt/${each}`);
    }
    await machine.run('sh', '-c', 'dpkg --install /opt/distro-info-data*.deb /opt/python*.deb');
    await machine.run('apt-get', 'install', '--yes', KSMTUNED_PACKAGE);
    await machine.write('/etc/ksmtuned.conf', CONFIG);
  });
  after(async () => {
    await tools[Symbol.asyncDispose]();
    await machine.stop();
  });

  test('the Ansible role has nothing that ansible-lint objects to, under its strictest profile', async () => {
    await tools.run(
      'env',
      '--chdir=/root/ansible',
      'ansible-lint',
      '--offline',
      '--profile',
      'production',
      'roles/samepaged',
    );
  });

  test('the Ansible role changes nothing in check mode', async () => {
    const { changed, failed } = await play('/root/ansible/play.yml', '--check', '--diff');
    assert.ok(changed > 0);
    assert.equal(failed, 0);
    await machine.run('systemctl', 'is-active', 'ksmtuned');
  });

  test("the Ansible role takes ksmtuned's place, keeps its configuration, and changes nothing the second time", async () => {
    const first = await play('/root/ansible/play.yml', ...settings({ KSM_THRES_COEF: 25 }));
    assert.ok(first.changed > 0, first.text);
    assert.equal((await machine.run('systemctl', 'is-active', 'samepaged')).trim(), 'active');
    assert.equal(machine.read('/etc/ksmtuned.conf'), CONFIG);
    assert.match(await machine.run('samepagectl', 'config'), /KSM_THRES_COEF=25 /);
    const second = await play('/root/ansible/play.yml', ...settings({ KSM_THRES_COEF: 25 }));
    assert.equal(second.changed, 0, second.text);
  });

  test('the Ansible role shows the line that would change', async () => {
    const { text } = await play('/root/ansible/play.yml', '--check', '--diff', ...settings({ KSM_THRES_COEF: 26 }));
    assert.match(text, /^-KSM_THRES_COEF=25\n\+KSM_THRES_COEF=26$/m);
    assert.match(machine.read(DROP_IN), /KSM_THRES_COEF=25/);
  });

  for (const name of ['tests_settings', 'tests_default']) {
    test(`the Ansible role’s own ${name} passes, twice`, async () => {
      const file = `/root/ansible/roles/samepaged/tests/${name}.yml`;
      for (let times = 0; times < 2; times += 1) assert.equal((await play(file)).failed, 0);
    });
  }
});
