import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { check } from '../support/machine/check.js';
import { hasHostSettings, setHostSettings, untilKsm } from '../support/machine/ksmFigures.js';
import type { Machine } from '../support/machine/machine.js';
import { VERSION } from '../support/version.js';
import { checkSelinux } from './mandatoryAccess.js';
import { CHECKOUT, SOURCES, shell } from './sources.js';

const TOP = '/srv/rpm';
const DNF = `dnf --assumeyes --quiet --repofrompath=local,file://${TOP}/RPMS --repo=local --releasever=1 --nogpgcheck`;
const CONFIG = '# changed by the administrator\nKSM_WHEN=always\n';

/** The path of a package there. */
const rpm = (name: string) => `${TOP}/RPMS/noarch/${name}-${VERSION}-1.noarch.rpm`;

export function checkRpm(machine: Machine): void {
  check(machine, 'rpmbuild makes the RPM packages without network, and rpmlint has nothing against them', async () => {
    await shell(
      machine,
      `mkdir -p /etc/rpm && cp ${CHECKOUT}/fixtures/packages/macros.fedora /etc/rpm/macros
      for spec in deploy/rpm/samepaged fixtures/packages/stubs; do
        NAME=default rpmbuild -bb --nodeps --define 'selinuxtype default' --define '_topdir ${TOP}' --define '_sourcedir ${SOURCES}' ${CHECKOUT}/$spec.spec
      done
      createrepo_c --quiet ${TOP}/RPMS`,
    );
    const packages = ['samepaged', 'cockpit-samepaged', 'samepaged-selinux'].map(rpm).join(' ');
    const lint = `rpmlint --config ${CHECKOUT}/deploy/rpm/rpmlint.toml ${packages} ${CHECKOUT}/deploy/rpm/samepaged.spec`;
    assert.match(await shell(machine, lint), /\b0 errors, 0 warnings\b/);
  });

  check(
    machine,
    'the RPM packages provide what is bundled into them, in its versions and with its licences',
    async () => {
      const lock = JSON.parse(readFileSync('package-lock.json', 'utf8')) as {
        packages: Record<string, { name?: string; version?: string }>;
      };
      const locked = Object.entries(lock.packages).map(
        ([path, { name, version }]) =>
          `bundled(npm(${name ?? path.replace(/.*node_modules\//, '')})) = ${version ?? ''}`,
      );
      for (const [name, fewest] of [
        ['samepaged', 40],
        ['cockpit-samepaged', 10],
      ] as const) {
        const query = (...words: readonly string[]) => machine.run('rpm', '--query', '--package', ...words, rpm(name));
        const bundled = (await query('--provides')).split('\n').filter((line) => line.startsWith('bundled('));
        assert.ok(bundled.length >= fewest, bundled.join('\n'));
        assert.deepEqual(
          bundled.filter((line) => !locked.includes(line)),
          [],
        );

        const copyright = await shell(
          machine,
          `rpm2cpio ${rpm(name)} | bsdtar -xOf - './usr/share/doc/${name}/copyright'`,
        );
        assert.equal(copyright.match(/^Comment: npm package /gm)?.length, bundled.length);
        const licences = new Set(Array.from(copyright.matchAll(/^License: (.*)$/gm), ([, licence]) => licence));
        const said = (await query('--queryformat', '%{LICENSE}')).split(' AND ');
        assert.deepEqual(said.sort(), [...licences].sort());
      }
    },
  );

  check(
    machine,
    'dnf puts samepaged in the place of a ksmtuned that runs, and the configuration stays as it is',
    async () => {
      await shell(
        machine,
        `mkdir -p /etc/systemd/system-preset
        echo 'disable *' > /etc/systemd/system-preset/99-fedora.preset
        ${DNF} --setopt=obsoletes=0 install fedora ksmtuned
        systemctl enable --now ksm ksmtuned`,
      );
      await machine.write('/etc/ksmtuned.conf', CONFIG);
      setHostSettings();
      await shell(machine, `${DNF} install samepaged samepaged-selinux`);
      assert.equal(await machine.run('rpm', '--query', '--all', 'ksmtuned'), '');
      assert.equal(await machine.run('systemctl', 'is-active', 'samepaged'), 'active\n');
      assert.equal(await machine.run('systemctl', 'is-enabled', 'samepaged', 'ksmtuned'), 'enabled\nalias\n');
      assert.equal(machine.read('/etc/ksmtuned.conf'), CONFIG);
      await untilKsm('run', (run) => run === 1);
      assert.match(
        await shell(machine, 'rpm --verify samepaged || true'),
        /^S\.5\.{4}T\. {2}c \/etc\/ksmtuned\.conf\n$/,
      );
    },
  );

  checkSelinux(machine);

  check(machine, 'the RPM package is restarted when reinstalled, and its removal gives the host back', async () => {
    const process = () => machine.run('systemctl', 'show', '--property=MainPID', 'samepaged');
    const before = await process();
    await shell(machine, `${DNF} reinstall samepaged`);
    assert.notEqual(await process(), before);
    await shell(machine, `${DNF} remove samepaged`);
    assert.ok(hasHostSettings());
    const left = await shell(machine, 'find /usr /etc -path "*samepage*" -not -path "/etc/selinux/*"');
    assert.equal(left, '');
  });
}
