import { known, unknown } from '../../../src/doctor/fact.js';
import type { Facts } from '../../../src/doctor/facts.js';
import { checkTable, guestOf } from '../../support/examples/doctorFacts.js';

const NO_LIBVIRT: Partial<Facts> = {
  libvirtIsHere: known(false),
  libvirtDaemons: known([]),
  libvirtSocket: known(false),
};
const NO_BUS = 'there is no D-Bus to ask on';
const libvirtSays = (kind: 'missing' | 'broken' | 'silent' | 'denied' | 'fails'): Partial<Facts> => ({
  libvirt: known({ kind, reason: 'it was said so' }),
});

checkTable('bus', [
  { name: 'reached', facts: {}, level: 'ok', found: /^the system bus$/ },
  {
    name: 'not there, and libvirt is here',
    facts: { bus: known({ failure: 'no D-Bus at x' }) },
    level: 'problem',
    found: /^no D-Bus at x$/,
    remedy: /^systemctl start dbus$/,
  },
  {
    name: 'not there, and no libvirt',
    facts: { bus: known({ failure: 'no D-Bus at x' }), ...NO_LIBVIRT },
    level: 'note',
    found: /^no D-Bus at x$/,
    remedy: /^systemctl start dbus$/,
  },
  { name: 'not asked', facts: { bus: unknown('with --root') }, level: 'unknown', found: /^with --root$/ },
]);

checkTable('libvirt-dbus', [
  { name: 'answers', facts: {}, level: 'ok', found: /^installed, reachable, allowed$/ },
  {
    name: 'answers that libvirt does not',
    facts: libvirtSays('fails'),
    level: 'ok',
    found: /libvirt behind it fails$/,
  },
  {
    name: 'missing on a host with libvirt',
    facts: libvirtSays('missing'),
    level: 'problem',
    found: /not on the bus$/,
    remedy: /^apt install libvirt-dbus /,
  },
  {
    name: 'missing on a host where libvirt is installed and idle',
    facts: { ...libvirtSays('missing'), ...NO_LIBVIRT, libvirtIsHere: known(true) },
    level: 'problem',
    found: /not on the bus$/,
    remedy: /^apt install libvirt-dbus /,
  },
  {
    name: 'missing on a host without libvirt',
    facts: { ...libvirtSays('missing'), ...NO_LIBVIRT },
    level: 'ok',
    found: /not needed: no libvirt is seen here$/,
  },
  {
    name: 'missing on a host whose guests were started by libvirt',
    facts: { ...libvirtSays('missing'), ...NO_LIBVIRT, guests: known([guestOf({ name: 'web' })]) },
    level: 'problem',
    found: /not on the bus$/,
    remedy: /^apt install libvirt-dbus /,
  },
  {
    name: 'installed, and does not start',
    facts: libvirtSays('broken'),
    level: 'problem',
    found: /^it does not start: it was said so$/,
    remedy: /^journalctl /,
  },
  {
    name: 'does not answer',
    facts: libvirtSays('silent'),
    level: 'problem',
    found: /^no answer: it was said so$/,
    remedy: /^systemctl restart libvirt-dbus\n/,
  },
  {
    name: 'denied to root',
    facts: libvirtSays('denied'),
    level: 'problem',
    found: /^the bus does not let root call it: it was said so$/,
    remedy: /org\.libvirt\.conf/,
  },
  {
    name: 'denied to a user: that says nothing of samepaged',
    facts: { ...libvirtSays('denied'), asRoot: known(false) },
    level: 'unknown',
    found: /ask as root$/,
  },
  { name: 'no bus', facts: { libvirt: unknown(NO_BUS) }, level: 'unknown', found: new RegExp(`^${NO_BUS}$`) },
]);

checkTable('libvirtd', [
  { name: 'answers', facts: {}, level: 'ok', found: /^answers through libvirt-dbus: 0 guests$/ },
  {
    name: 'does not answer libvirt-dbus, though it runs',
    facts: libvirtSays('fails'),
    level: 'problem',
    found: /^libvirt does not answer: it was said so$/,
    remedy: /^systemctl start virtqemud\.socket \|\| systemctl start libvirtd$/,
  },
  {
    name: 'runs, and cannot be asked',
    facts: { libvirt: unknown(NO_BUS) },
    level: 'ok',
    found: /^virtqemud runs \(pid 700\); it was not asked$/,
  },
  {
    name: 'rests behind its socket',
    facts: { ...libvirtSays('missing'), libvirtDaemons: known([]) },
    level: 'ok',
    found: /its socket is there$/,
  },
  {
    name: 'is not there',
    facts: { ...libvirtSays('missing'), ...NO_LIBVIRT },
    level: 'ok',
    found: /^none is seen here, and none is needed$/,
  },
  {
    name: 'is not there, but a guest is',
    facts: { libvirt: unknown(NO_BUS), ...NO_LIBVIRT, guests: known([guestOf({ name: 'web' })]) },
    level: 'note',
    found: /; \/proc shows 1 guest$/,
    remedy: /^systemctl start/,
  },
  {
    name: 'nobody tells',
    facts: { libvirt: unknown(NO_BUS), libvirtDaemons: unknown('hidepid') },
    level: 'unknown',
    found: /^hidepid$/,
  },
]);
