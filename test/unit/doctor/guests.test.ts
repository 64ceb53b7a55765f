import type { Obstacle } from '../../../src/core/mergeability.js';
import { known, unknown } from '../../../src/doctor/fact.js';
import { configured, GIB, KSM, checkTable, guestOf } from '../../support/examples/doctorFacts.js';

const apart = (name: string, ...obstacles: Obstacle[]) =>
  guestOf({ name, mergeability: { mergeable: false, obstacles, locked: false } });
const web = guestOf({ name: 'web' });
const locked = guestOf({ name: 'clock', mergeability: { mergeable: true, obstacles: [], locked: true } });
const forbidding = (patterns: string) => configured({ KSM_FORBID_GUESTS: patterns });

checkTable('guests-mergeable', [
  { name: 'no guest', facts: {}, level: 'ok', found: /^no guest runs$/ },
  { name: 'one guest', facts: { guests: known([web]) }, level: 'ok', found: /^1 guest, mergeable$/ },
  {
    name: 'two guests',
    facts: { guests: known([web, guestOf({ name: 'web2' })]) },
    level: 'ok',
    found: /^2 guests, all mergeable$/,
  },
  {
    name: 'a locked guest is merged like others',
    facts: { guests: known([web, locked]) },
    level: 'ok',
    found: /^2 guests, all mergeable; locked in RAM, which merges but cannot be swapped out: clock$/,
  },
  {
    name: 'nosharepages, of two',
    facts: { guests: known([apart('vault', 'nosharepages'), web]) },
    level: 'note',
    found: /^1 of 2 guests cannot be merged, 1\.0 GiB in memory: vault \(nosharepages\)$/,
    remedy: /^# unless this is intended.*\nsamepagectl guests allow -- vault$/,
  },
  {
    name: 'a name that a shell would run is one word, and no option',
    facts: { guests: known([apart("x'; touch /tmp/pwned #", 'nosharepages'), apart('-rf $(id)', 'hugepages')]) },
    level: 'note',
    found: /./,
    remedy: /\nsamepagectl guests allow -- 'x'\\''; touch \/tmp\/pwned #'\nvirsh edit -- '-rf \$\(id\)' {3}#/,
  },
  {
    name: 'guests of strangers are named, and counted nowhere',
    facts: { guests: known([web]), strangers: known([{ ...guestOf({ name: 'mine' }), user: 'mallory' }]) },
    level: 'ok',
    found:
      /^1 guest, mergeable; not counted in decisions, because their users are not in KSM_GUEST_USERS: mine \(mallory\)$/,
  },
  {
    name: 'nosharepages as KSM_FORBID_GUESTS wants it',
    facts: { guests: known([apart('vault', 'nosharepages'), web]), configuration: forbidding('vault') },
    level: 'note',
    found: /vault \(nosharepages\)$/,
  },
  {
    name: 'hugepages and shared memory, every obstacle',
    facts: { guests: known([apart('db', 'hugepages', 'pinned'), apart('files', 'shared')]) },
    level: 'note',
    found: /^2 of 2 guests cannot be merged, 2\.0 GiB in memory: db \(hugepages, pinned\), files \(shared\)$/,
    remedy: /\nvirsh edit -- db {3}# .*<hugepages\/>\nvirsh edit -- files {3}# .*<access mode='shared'\/>$/,
  },
  {
    name: 'remedies in the words of who starts the guest',
    facts: {
      guests: known([
        { ...apart('web (100)', 'nosharepages'), manager: 'proxmox', vmId: '100' },
        { ...apart('kata', 'not offered'), manager: 'cloud-hypervisor' },
        { ...apart('byhand', 'shared', 'hugepages'), manager: 'qemu' },
      ]),
    },
    level: 'note',
    found: /: web \(100\) \(nosharepages\), kata \(not offered\), byhand \(shared, hugepages\)$/,
    remedy:
      /\nqm set 100 --allow-ksm 1\n# kata: start it with --memory mergeable=on\n# byhand: start QEMU with share=off$/,
  },
  {
    name: 'one whose process is not seen is counted and not judged',
    facts: { guests: known([web, guestOf({ name: 'far', mergeability: undefined })]) },
    level: 'ok',
    found: /^2 guests; unknown, because their processes are not seen: far$/,
  },
  {
    name: 'what belongs to the guest has no command',
    facts: { guests: known([apart('render', 'pinned'), apart('secret', 'encrypted'), apart('odd', 'not offered')]) },
    level: 'note',
    found: /render \(pinned\), secret \(encrypted\), odd \(not offered\)$/,
  },
  {
    name: 'six are listed',
    facts: { guests: known(Array.from({ length: 6 }, (_, i) => apart(`g${i}`, 'pinned'))) },
    level: 'note',
    found: /, g5 \(pinned\)$/,
  },
  {
    name: 'many are counted, not listed',
    facts: { guests: known(Array.from({ length: 9 }, (_, i) => apart(`g${i}`, 'nosharepages'))) },
    level: 'note',
    found: /^9 of 9 guests cannot be merged, 9\.0 GiB in memory: g0 .*, g5 \(nosharepages\), and 3 more$/,
    remedy: /^#.*\n.* g0\n.* g1\n.* g2$/,
  },
  {
    name: 'resident memory, not configured',
    facts: { guests: known([{ ...apart('vault', 'nosharepages'), residentBytes: 3 * GIB, configuredBytes: 8 * GIB }]) },
    level: 'note',
    found: /3\.0 GiB in memory/,
    remedy: /vault/,
  },
  { name: 'hidden processes', facts: { guests: unknown('hidepid') }, level: 'unknown', found: /^hidepid$/ },
]);

checkTable('forbidden-guests', [
  { name: 'no pattern', facts: { guests: known([web]) }, level: 'ok', found: /^none \(KSM_FORBID_GUESTS is empty\)$/ },
  {
    name: 'no guest that is meant',
    facts: { guests: known([web]), configuration: forbidding('vault*') },
    level: 'note',
    found: /^no running guest is called "vault\*"$/,
    remedy: /^samepagectl guests /,
  },
  {
    name: 'one that is meant, and not mergeable',
    facts: { guests: known([web, apart('vault1', 'nosharepages')]), configuration: forbidding('vault*') },
    level: 'ok',
    found: /^1 running guest, none of them mergeable$/,
  },
  {
    name: 'one that is meant, and mergeable',
    facts: {
      guests: known([web, guestOf({ name: 'vault2' }), apart('vault1', 'nosharepages')]),
      configuration: forbidding('vault*,x'),
    },
    level: 'problem',
    found: /^1 of 2 running guests can be merged: vault2; no running guest is called "x"$/,
    remedy: /\nsamepagectl guests forbid -- vault2$/,
  },
  {
    name: "Proxmox's, by its own name",
    facts: {
      guests: known([guestOf({ name: 'vault (104)', plainName: 'vault', manager: 'proxmox', vmId: '104' })]),
      configuration: forbidding('vault'),
    },
    level: 'problem',
    found: /^1 of 1 running guest can be merged: vault \(104\)$/,
    remedy: /\nqm set 104 --allow-ksm 0$/,
  },
  {
    name: 'one of a user whose guests do not count: it is merged all the same',
    facts: {
      strangers: known([{ ...guestOf({ name: 'vault', manager: 'session' }), user: 'u1' }]),
      configuration: forbidding('vault'),
    },
    level: 'problem',
    found: /can be merged: vault$/,
    remedy: /\nvirsh -c qemu:\/\/\/session edit -- vault {3}# <memoryBacking>: <nosharepages\/>$/,
  },
]);

checkTable('other-mergers', [
  { name: 'none', facts: {}, level: 'ok', found: /^none but guests use KSM$/ },
  {
    name: 'some, the largest named',
    facts: {
      otherMergers: known({
        ...{ count: 2, mergedBytes: GIB },
        largest: [{ pid: 300, comm: 'journald', mergedBytes: GIB }],
      }),
    },
    level: 'ok',
    found: /^2 processes that run no guest use KSM, 1\.0 GiB merged: journald \(pid 300, 1\.0 GiB\) and 1 more$/,
  },
]);

const costly = guestOf({ name: 'db', profitBytes: -3 * 1024 ** 2 });
const SCANNED = known({ ...KSM, fullScans: 2 });

checkTable('guests-only-costing', [
  { name: 'no guest', facts: { ksm: SCANNED }, level: 'ok', found: /^none is known$/ },
  {
    name: 'the kernel does not report the profit of a guest',
    facts: { ksm: SCANNED, guests: known([web]) },
    level: 'ok',
    found: /^none is known$/,
  },
  {
    name: 'one of two, after two passes',
    facts: { ksm: SCANNED, guests: known([web, costly]) },
    level: 'note',
    found: /^1 of 2 guests: db \(-3\.0 MiB\)$/,
    remedy: /^# at once.*\nsamepagectl guests forbid --now -- db$/,
  },
  {
    name: 'one of Proxmox VE’s, whose next start is not libvirt’s',
    facts: { ksm: SCANNED, guests: known([{ ...costly, name: 'db (104)', manager: 'proxmox', vmId: '104' }]) },
    level: 'note',
    found: /^1 of 1 guest: /,
    remedy: /\nsamepagectl guests forbid --now -- 'db \(104\)'\nqm set 104 --allow-ksm 0$/,
  },
  {
    name: 'the first pass is not over',
    facts: { ksm: known({ ...KSM, fullScans: 1 }), guests: known([costly]) },
    level: 'ok',
    found: /^none is known$/,
  },
]);
