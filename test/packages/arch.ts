import assert from 'node:assert/strict';
import { check } from '../support/machine/check.js';
import { hasHostSettings, setHostSettings, untilKsm } from '../support/machine/ksmFigures.js';
import type { Machine } from '../support/machine/machine.js';
import { CHECKOUT, SOURCES, shell } from './sources.js';

const BUILD = '/srv/arch';
const REPOSITORY = '/srv/arch/repository';
const CONFIG = '# changed by the administrator\nKSM_WHEN=always\n';
/** What an Arch host has; its repositories cannot be had. */
const ASSUMED = ['nodejs=22.20.0', 'dbus=1', 'systemd=257', 'util-linux=2', 'sh=5'];
const PACMAN = `pacman --config ${BUILD}/pacman.conf --noconfirm`;
const ASSUMING = ASSUMED.map((name) => `--assume-installed ${name}`).join(' ');

export function checkArch(machine: Machine): void {
  check(machine, 'makepkg makes the packages of Arch without network, and pacman reads them', async () => {
    await shell(
      machine,
      `install -d -o nobody ${BUILD} ${BUILD}/samepaged ${BUILD}/ksmtuned ${REPOSITORY} && chown nobody ${SOURCES}`,
    );
    await shell(
      machine,
      `export SRCDEST=${SOURCES} PKGDEST=${REPOSITORY} PKGEXT=.pkg.tar.zst HOME=${BUILD}
      cp ${CHECKOUT}/deploy/arch/* ${BUILD}/samepaged
      cd ${BUILD}/samepaged && makepkg --nodeps --noconfirm
      cd ${BUILD}/ksmtuned && mkdir -p etc usr/bin && touch usr/bin/ksmtuned
      echo '# KSM_NPAGES_MAX=1250' > etc/ksmtuned.conf
      printf '%s\\n' 'pkgname = ksmtuned' 'pkgver = 1-1' 'arch = any' 'backup = etc/ksmtuned.conf' > .PKGINFO
      bsdtar -caf ${REPOSITORY}/ksmtuned-1-1-any.pkg.tar.zst .PKGINFO etc usr
      cd ${REPOSITORY} && repo-add --quiet samepaged.db.tar.zst ksmtuned-*.pkg.tar.zst`,
      'nobody',
    );
    await machine.write(
      `${BUILD}/pacman.conf`,
      `[options]\nArchitecture = auto\nSigLevel = Never\n[samepaged]\nServer = file://${REPOSITORY}\n`,
    );
    const files = await shell(machine, `${PACMAN} -Qlp ${REPOSITORY}/samepaged-*.pkg.tar.zst`);
    assert.match(files, /^samepaged \/usr\/bin\/ksmtuned$/m);
    assert.doesNotMatch(files, /sbin|cockpit/);
  });

  check(machine, 'pacman puts samepaged in the place of ksmtuned, with the configuration as it is', async () => {
    await shell(machine, `${PACMAN} -Sy ksmtuned`);
    await machine.write('/etc/ksmtuned.conf', CONFIG);
    const add = `cd ${REPOSITORY} && repo-add --quiet samepaged.db.tar.zst *samepaged-*.pkg.tar.zst`;
    await shell(machine, add, 'nobody');
    // yy: the database may be of the same second as the one before.
    await shell(machine, `${PACMAN} -Syyu ${ASSUMING}`);
    assert.match(await shell(machine, `${PACMAN} -Q`), /^samepaged \S+\n$/);
    assert.equal(machine.read('/etc/ksmtuned.conf'), CONFIG);
    assert.match(await shell(machine, `${PACMAN} -Qkk samepaged`), /, 0 altered files/);
  });

  check(machine, 'the service of the Arch package runs, and removal gives the host back', async () => {
    setHostSettings();
    // What the hooks of Arch's systemd and dbus do.
    await shell(machine, 'systemd-sysusers; systemctl daemon-reload; systemctl reload dbus');
    await machine.run('systemctl', 'enable', '--now', 'samepaged');
    await untilKsm('run', (run) => run === 1);
    await shell(machine, `${PACMAN} -R samepaged`);
    assert.ok(hasHostSettings());
    assert.equal(await shell(machine, 'find /usr /etc -path "*samepage*" -not -path "/etc/selinux/*"'), '');
  });
}
