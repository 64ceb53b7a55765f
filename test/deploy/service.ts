import assert from 'node:assert/strict';
import { mkdir, rm } from 'node:fs/promises';
import type { Machine } from '../support/machine/machine.js';
import { eventually } from '../support/daemon.js';
import { check, untilJournal } from '../support/machine/check.js';
import { lastRetune } from './manager.js';

const CONFIG = '/etc/ksmtuned.conf';

export function checkService(machine: Machine): void {
  const systemctl = (...words: readonly string[]) => machine.run('systemctl', ...words);
  const leastPages = async () =>
    /^KSM_NPAGES_MIN=(\d+)/m.exec(await machine.run('samepagectl', 'config', '--all'))?.[1];

  check(machine, 'the service is ready when it has made its first decision', async () => {
    await systemctl('stop', 'samepaged');
    await systemctl('start', 'samepaged');
    assert.match((await lastRetune(machine)).sentence, /guests use /);
  });

  check(machine, 'systemctl reload takes a changed configuration', async () => {
    await machine.write(CONFIG, 'KSM_NPAGES_MIN=77\n');
    await systemctl('reload', 'samepaged');
    assert.equal(await leastPages(), '77');
  });

  check(machine, 'systemctl reload with a bad configuration says where, and the running one stays', async (since) => {
    await machine.write(CONFIG, 'KSM_NPAGES_MIN=88\nKSM_NPAGES_MAX=many\n');
    await assert.rejects(systemctl('reload', 'samepaged'));
    await untilJournal(machine, since, /ksmtuned\.conf:2/);
    assert.equal(await leastPages(), '77');
    await machine.write(CONFIG, '');
    await systemctl('reload', 'samepaged');
  });

  check(machine, 'SIGUSR1 to the service retunes', async () => {
    await systemctl('kill', '--signal=USR1', 'samepaged');
    await eventually(async () => (await lastRetune(machine)).triggers.some((trigger) => trigger.includes('SIGUSR1')));
  });

  check(machine, 'tp-qemu ksm_services: stop, start, status and restart of ksmtuned.service answer', async () => {
    for (const verb of ['stop', 'start', 'restart']) {
      await systemctl(verb, 'ksmtuned.service');
      const active = await systemctl('is-active', 'samepaged').catch(String);
      assert.match(active, verb === 'stop' ? /inactive/ : /^active$/m);
    }
    assert.match(await systemctl('status', '--no-pager', 'ksmtuned.service'), /Active: active \(running\)/);
  });

  check(machine, 'the command ksmtuned starts nothing, and says what to do', async () => {
    const pid = machine.read('/run/samepaged/ksmtune.pid').trim();
    const told = `ksmtuned: samepaged (pid ${pid}) does its work: to retune now, kill -USR1 ${pid}; to stop, `;
    await assert.rejects(machine.run('ksmtuned'), (error: Error) => error.message.includes(told));
    assert.match(await machine.run('man', '--where', 'ksmtuned'), /samepaged\.8|ksmtuned\.8/);
  });

  check(
    machine,
    'tp-qemu ksm_services: LOGFILE=/var/log/test_ksmtuned with DEBUG=1 has every decision',
    async (since) => {
      await machine.write(CONFIG, 'LOGFILE=/var/log/test_ksmtuned\nDEBUG=1\n');
      await systemctl('restart', 'ksmtuned.service');
      const file = '/var/log/samepaged/test_ksmtuned';
      await untilJournal(
        machine,
        since,
        /LOGFILE \/var\/log\/test_ksmtuned cannot be written \(EROFS\): the log goes to /,
      );
      await eventually(() => machine.read(file).includes('KSMCTL '));
    },
  );

  check(
    machine,
    "KSM_MEMORY_ACCOUNTING=pss: guests' PSS needs CAP_SYS_PTRACE, and is estimated without it",
    async (since) => {
      const told = /PSS cannot be read without CAP_SYS_PTRACE: samepaged estimates/;
      await machine.write(CONFIG, 'KSM_MEMORY_ACCOUNTING=pss\n');
      await systemctl('restart', 'samepaged');
      await untilJournal(machine, since, told);
      const dropIn = '/run/systemd/system/samepaged.service.d';
      await mkdir(machine.path(dropIn), { recursive: true });
      const capability = 'CapabilityBoundingSet=CAP_SYS_PTRACE\nAmbientCapabilities=CAP_SYS_PTRACE\n';
      await machine.write(`${dropIn}/pss.conf`, `[Service]\n${capability}`);
      await systemctl('daemon-reload');
      const middle = await machine.journalEnd();
      await systemctl('restart', 'samepaged');
      assert.match((await lastRetune(machine)).sentence, /guests use /);
      assert.doesNotMatch(await machine.journal(middle, 'samepaged'), told);
      await rm(machine.path(dropIn), { recursive: true });
      await machine.write(CONFIG, '');
      await systemctl('daemon-reload');
      await systemctl('restart', 'samepaged');
    },
  );

  check(machine, 'systemctl service-log-level sets how much samepaged logs', async (since) => {
    assert.equal(await systemctl('service-log-level', 'samepaged'), 'info\n');
    await systemctl('service-log-level', 'samepaged', 'debug');
    assert.equal(await systemctl('service-log-level', 'samepaged'), 'debug\n');
    await systemctl('kill', '--signal=USR1', 'samepaged');
    await untilJournal(machine, since, /"level":"debug"/);
    await systemctl('service-log-level', 'samepaged', 'info');
  });

  check(machine, 'metrics are served through the socket of systemd, while the service has no network', async () => {
    await systemctl('enable', 'samepaged-metrics.socket');
    await systemctl('restart', 'samepaged');
    const ask = "fetch('http://127.0.0.1:9870/metrics').then((r) => r.text()).then((t) => process.stdout.write(t))";
    assert.match(await machine.run('node', '--eval', ask), /^samepaged_up 1$/m);
    const pid = (await systemctl('show', '--property=MainPID', '--value', 'samepaged')).trim();
    const interfaces = await machine.run('nsenter', `--net=/proc/${pid}/ns/net`, 'ip', '-oneline', 'link');
    const network = (of: string) => machine.run('readlink', `/proc/${of}/ns/net`);
    assert.notEqual(await network(pid), await network('1'));
    assert.match(interfaces, /^1: lo: [^\n]*\n$/);
    await systemctl('disable', '--now', 'samepaged-metrics.socket');
  });
}
