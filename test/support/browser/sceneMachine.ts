import { execFile } from 'node:child_process';
import { copyFile, mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Machine } from '../machine/machine.js';
import { removeScratch, scratchDirectory } from '../scratch.js';
import { SCENE_ROOT, type Scene, treeOf } from './scenes.js';

const execFileAsync = promisify(execFile);

const DROP_IN = `[Unit]
ConditionPathIsReadWrite=
ConditionPathIsReadWrite=${SCENE_ROOT}/sys/kernel/mm/ksm
StartLimitIntervalSec=0

[Service]
ExecStartPre=
ExecStopPost=
ExecStart=
ExecStart=/usr/lib/samepaged/service --root ${SCENE_ROOT} --config ${SCENE_ROOT}/ksmtuned.conf --libvirt none
ReadWritePaths=${SCENE_ROOT}
`;
const STATE = '/var/lib/samepaged';

/** The packages of this checkout in a booted Debian with Cockpit; samepaged runs on simulated hosts. */
export class SceneMachine {
  private constructor(readonly machine: Machine) {}

  static async boot(): Promise<SceneMachine> {
    const machine = await Machine.boot({ hasKsm: false });
    try {
      await install(machine);
      return new SceneMachine(machine);
    } catch (error) {
      await machine.stop();
      throw error;
    }
  }

  /** Has samepaged run on the host of this scene. */
  async play(scene: Scene): Promise<void> {
    await this.machine.run('systemctl', 'stop', 'samepaged');
    using tree = treeOf(scene);
    await this.machine.run('rm', '-rf', SCENE_ROOT, STATE);
    await execFileAsync('cp', ['-r', tree.root, this.machine.path(SCENE_ROOT)]);
    await this.machine.run('chown', '-R', 'samepaged:', SCENE_ROOT);
    await this.machine.run('chmod', '755', SCENE_ROOT);
    await this.machine.run('install', '-d', '-o', 'samepaged', '-m', '755', STATE);
    await this.machine.run(
      'install',
      '-o',
      'samepaged',
      '-m',
      '644',
      `${SCENE_ROOT}/history.log`,
      `${STATE}/history.log`,
    );
    await this.machine.run('systemctl', 'start', 'samepaged');
    await this.machine.run('systemctl', 'is-active', 'samepaged');
  }
}

/** Installs the packages of this checkout, and starts Cockpit. */
export async function installPackages(machine: Machine): Promise<void> {
  const directory = await scratchDirectory('package');
  try {
    await execFileAsync('deploy/package.sh', [directory]);
    const names = await readdir(directory);
    for (const name of names) await copyFile(join(directory, name), machine.path(`/opt/${name}`));
    await machine.run('apt-get', 'install', '--yes', ...names.map((name) => `/opt/${name}`));
  } finally {
    await removeScratch(directory);
  }
  await machine.run('systemctl', 'start', 'cockpit.socket');
}

async function install(machine: Machine): Promise<void> {
  await installPackages(machine);
  await mkdir(machine.path('/etc/systemd/system/samepaged.service.d'), { recursive: true });
  await machine.write('/etc/systemd/system/samepaged.service.d/scene.conf', DROP_IN);
  await machine.run('systemctl', 'daemon-reload');
}
