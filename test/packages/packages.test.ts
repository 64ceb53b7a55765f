import { after, describe } from 'node:test';
import { Machine } from '../support/machine/machine.js';
import { toolsImage } from '../support/machine/toolsImage.js';
import { checkArch } from './arch.js';
import { checkDebian } from './debian.js';
import { checkApparmor } from './mandatoryAccess.js';
import { checkNix } from './nix.js';
import { checkRpm } from './rpm.js';
import { CHECKOUT, checkSources } from './sources.js';

// Every distribution's packages, made, checked and installed by that distribution's own tools, one after the other in one
// Debian 13 without network.
const machine = await Machine.boot({ image: toolsImage, checkoutAt: CHECKOUT });
after(() => machine.stop());

const PARTS = {
  sources: checkSources,
  Debian: checkDebian,
  RPM: checkRpm,
  Arch: checkArch,
  NixOS: checkNix,
  AppArmor: checkApparmor,
};
for (const [name, part] of Object.entries(PARTS)) {
  describe(name, () => {
    part(machine);
  });
}
