import assert from 'node:assert/strict';
import { check } from '../support/machine/check.js';
import type { Machine } from '../support/machine/machine.js';
import { CHECKOUT, shell } from './sources.js';

/** Once the package with the module is installed. */
export function checkSelinux(machine: Machine): void {
  check(
    machine,
    'the SELinux module is in the whole policy, gives the service its files, and is permissive',
    async () => {
      const policy = '/etc/selinux/default/policy/policy.*';
      // seinfo of setools 4.5 does not show a single permissive type.
      const module =
        'cd "$(mktemp -d)" && semodule --store default --cil --extract samepaged 2>&1 && cat samepaged.cil';
      assert.match(await shell(machine, module), /^\(typepermissive samepaged_t\)$/m);
      const writes = await shell(machine, `sesearch --allow -s samepaged_t -c file -p write -ds ${policy}`);
      for (const type of ['sysfs_t', 'samepaged_var_lib_t', 'samepaged_runtime_t', 'samepaged_log_t']) {
        assert.match(writes, new RegExp(` ${type}:file `));
      }
    },
  );
}

export function checkApparmor(machine: Machine): void {
  check(machine, 'apparmor_parser compiles the AppArmor profile', async () => {
    await machine.run('apparmor_parser', '--skip-kernel-load', '--skip-cache', `${CHECKOUT}/deploy/apparmor/samepaged`);
  });
}
