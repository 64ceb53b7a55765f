import { plural } from '../../core/format.js';
import { hasLibvirtGuest, wantsLibvirt } from '../wantsLibvirt.js';
import { type Check, type Verdict, check, note, ok, problem, unanswered, valueOf } from '../check.js';
import type { Facts } from '../facts.js';

const bus = check({
  id: 'bus',
  title: 'D-Bus',
  why:
    "libvirt's guest events come over D-Bus, and samepagectl speaks to samepaged there. Without it guests are " +
    'found in /proc only.',
  needs: ['bus'],
  judge: ({ bus: reached }, facts) => {
    if ('address' in reached) return ok(reached.address);
    return valueOf(facts.libvirtIsHere) === true
      ? problem(reached.failure, START_BUS)
      : note(reached.failure, START_BUS);
  },
});

const START_BUS = 'systemctl start dbus';

const libvirtDbus = check({
  id: 'libvirt-dbus',
  title: 'libvirt-dbus',
  why:
    'It reports starts and stops of guests, so samepaged retunes within a second. Without it guests are found in /proc ' +
    'within two seconds, and merge_across_nodes is not set through libvirt.',
  needs: ['libvirt'],
  judge: ({ libvirt }, facts) => {
    switch (libvirt.kind) {
      case 'answers':
        return ok('installed, reachable, allowed');
      case 'fails':
        return ok('installed and reachable; libvirt behind it fails');
      case 'silent':
        return problem(`no answer: ${libvirt.reason}`, 'systemctl restart libvirt-dbus', ...START);
      case 'missing':
        return wantsLibvirt(facts)
          ? problem(`libvirt is here, but libvirt-dbus is not on the bus`, INSTALL)
          : ok('not on the bus, and not needed: no libvirt is seen here');
      case 'broken':
        return problem(`it does not start: ${libvirt.reason}`, 'journalctl -u libvirt-dbus -u dbus -n 50');
      case 'denied':
        return valueOf(facts.asRoot) === true
          ? problem(
              `the bus does not let root call it: ${libvirt.reason}`,
              'ls /usr/share/dbus-1/system.d/org.libvirt.conf',
            )
          : unanswered('this user may not call it: ask as root');
    }
  },
});

const INSTALL = 'apt install libvirt-dbus   # or: dnf install libvirt-dbus';

const libvirtd = check({
  id: 'libvirtd',
  title: 'libvirtd',
  why:
    'Guests keep running without libvirtd, but nothing reports their starts and stops, and their definitions cannot be ' +
    'changed.',
  needs: [],
  judge: (_values, facts) => {
    const reply = valueOf(facts.libvirt);
    if (reply?.kind === 'answers') return ok(`answers through libvirt-dbus: ${plural(reply.guests.length, 'guest')}`);
    if (reply?.kind === 'fails') return problem(`libvirt does not answer: ${reply.reason}`, ...START);
    return fromProc(facts);
  },
});

const START = ['systemctl start virtqemud.socket || systemctl start libvirtd'];

/** What is seen where libvirt-dbus could not be asked. virtqemud ends after 120 s without work; its socket starts it. */
function fromProc({ libvirtDaemons, libvirtSocket, guests }: Facts): Verdict {
  if (libvirtDaemons.state === 'unknown') return unanswered(libvirtDaemons.reason);
  const [running] = valueOf(libvirtDaemons) ?? [];
  if (running !== undefined) return ok(`${running.name} runs (pid ${running.pid}); it was not asked`);
  if (valueOf(libvirtSocket) === true) return ok('starts when it is asked: its socket is there');
  const count = valueOf(guests)?.length ?? 0;
  const shown = count === 0 ? '' : `; /proc shows ${plural(count, 'guest')}`;
  if (!hasLibvirtGuest(guests)) return ok(`none is seen here, and none is needed${shown}`);
  return note(`neither libvirtd nor virtqemud runs${shown}`, ...START);
}

export const LIBVIRT_CHECKS: readonly Check[] = [bus, libvirtDbus, libvirtd];
