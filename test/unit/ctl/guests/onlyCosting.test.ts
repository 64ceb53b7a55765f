import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeOnlyCosting } from '../../../../src/ctl/guests/onlyCosting.js';

const libvirts = (name: string) => ({ name, manager: 'libvirt' }) as const;
const WHY = "only costs: KSM's records take more memory than merging saves there";

test('guests that only cost are named with the command that takes one out', () => {
  assert.equal(
    describeOnlyCosting([libvirts("bob's")]),
    `bob's ${WHY}; samepagectl guests forbid --now -- 'bob'\\''s' takes it out`,
  );
  const many = describeOnlyCosting(['a', 'b', 'c', 'd', 'e', 'f', 'g'].map(libvirts));
  assert.match(many, /^a, b, c, d, e, f and 1 more only cost: .* forbid --now -- NAME takes a guest out$/);
});

test('a guest of Proxmox VE that only costs is named with the command for its next start too', () => {
  assert.equal(
    describeOnlyCosting([{ name: 'web (104)', plainName: 'web', vmId: '104', manager: 'proxmox' }]),
    `web (104) ${WHY}; samepagectl guests forbid --now -- 'web (104)' takes it out, and from its next start on qm set 104 --allow-ksm 0`,
  );
});
