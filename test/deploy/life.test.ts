import { after, describe } from 'node:test';
import { Machine } from '../support/machine/machine.js';
import { checkGuests } from './guests.js';
import { checkHardening } from './hardening.js';
import { checkPackage } from './package.js';
import { checkPages } from './pages.js';
import { checkPermissions } from './permissions.js';
import { checkReboot } from './reboot.js';
import { checkRemoval } from './removal.js';
import { checkService } from './service.js';
import { checkTrouble } from './trouble.js';
import { checkUpgrade } from './upgrade.js';

// One host's life, as its administrator sees it: each part begins with what the one before has left. One boot for all,
// and one more for the reboot.
const machine = await Machine.boot();
after(() => machine.stop());

const PARTS = {
  'the package': checkPackage,
  'upgrade from ksmtuned': checkUpgrade,
  guests: checkGuests,
  service: checkService,
  permissions: checkPermissions,
  hardening: checkHardening,
  pages: checkPages,
  trouble: checkTrouble,
  reboot: checkReboot,
  removal: checkRemoval,
};
for (const [name, part] of Object.entries(PARTS)) {
  describe(name, () => {
    part(machine);
  });
}
