import { known, unknown } from '../../../src/doctor/fact.js';
import {
  CONFIGURATION,
  DAEMON,
  KSM,
  configured,
  checkTable,
  guestOf,
  without,
} from '../../support/examples/doctorFacts.js';

const KSMTUNED = { name: 'ksmtuned', pid: 812 };
const SAMEPAGED = { name: 'samepaged', pid: 900 };

checkTable('configuration', [
  { name: 'a file', facts: {}, level: 'ok', found: /^\/etc\/ksmtuned\.conf, policy ksmtuned$/ },
  {
    name: 'no file',
    facts: { configuration: known({ ...CONFIGURATION, present: false }) },
    level: 'ok',
    found: /^no \/etc\/ksmtuned\.conf: defaults, policy ksmtuned$/,
  },
  {
    name: 'a warning',
    facts: { configuration: known({ ...CONFIGURATION, warnings: ['a.conf:3: unknown key KSM_X'] }) },
    level: 'note',
    found: /^a\.conf:3: unknown key KSM_X$/,
    remedy: /--print-config/,
  },
  {
    name: 'errors come before warnings',
    facts: { configuration: known({ ...CONFIGURATION, errors: ['a.conf:1: bad', 'b'], warnings: ['c'] }) },
    level: 'problem',
    found: /^a\.conf:1: bad \(and 1 more\)$/,
    remedy: /--print-config/,
  },
]);

checkTable('daemon', [
  { name: 'on the bus', facts: {}, level: 'ok', found: /^samepaged 1\.2\.3 runs, policy ksmtuned, with libvirt$/ },
  {
    name: 'without the libvirt that is here',
    facts: { daemon: known({ ...DAEMON, libvirtConnected: false }) },
    level: 'note',
    found: /without libvirt: guests are found in \/proc$/,
    remedy: /^journalctl -u samepaged/,
  },
  {
    name: 'on a host without libvirt, as Proxmox',
    facts: {
      daemon: known({ ...DAEMON, libvirtConnected: false }),
      libvirtIsHere: known(false),
      guests: known([guestOf({ name: 'web (100)', manager: 'proxmox', vmId: '100' })]),
    },
    level: 'ok',
    found: /^samepaged 1\.2\.3 runs, policy ksmtuned; guests are found in \/proc$/,
  },
  {
    name: 'a dry run',
    facts: { daemon: known({ ...DAEMON, dryRun: true }) },
    level: 'note',
    found: /as a dry run: it sets nothing$/,
    remedy: /^systemctl enable --now samepaged$/,
  },
  {
    name: 'held',
    facts: { daemon: known({ ...DAEMON, hold: 'paused' }) },
    level: 'note',
    found: /but is held: paused by hand$/,
    remedy: /^samepagectl resume$/,
  },
  {
    name: 'a look that failed',
    facts: { daemon: known({ ...DAEMON, lastRetune: { ...DAEMON.lastRetune, failure: 'no sample' } }) },
    level: 'problem',
    found: /its last retune failed: no sample$/,
    remedy: /^journalctl/,
  },
  {
    name: 'in /proc, and there is no bus to ask on',
    facts: { daemon: unknown('there is no D-Bus to ask on') },
    level: 'ok',
    found: /^samepaged runs \(pid 900\); there is no D-Bus to ask on$/,
  },
  {
    name: 'in /proc, but not on the bus',
    facts: { daemon: known(undefined) },
    level: 'note',
    found: /^samepaged runs \(pid 900\), but is not on this bus$/,
    remedy: /^journalctl/,
  },
  {
    name: 'nowhere, and nothing else',
    facts: { daemon: known(undefined), tuners: known([]) },
    level: 'note',
    found: /^samepaged does not run, and nothing else tunes KSM$/,
    remedy: /^systemctl enable --now samepaged$/,
  },
  {
    name: 'nowhere, but ksmtuned',
    facts: { daemon: known(undefined), tuners: known([KSMTUNED]) },
    level: 'note',
    found: /^samepaged does not run; ksmtuned does \(pid 812\)$/,
    remedy: /^# once ksmtuned is stopped:\nsystemctl enable --now samepaged$/,
  },
  {
    name: 'neither bus nor processes',
    facts: { daemon: unknown('no bus'), tuners: unknown('this /proc hides') },
    level: 'unknown',
    found: /^this \/proc hides$/,
  },
]);

checkTable('other-tuners', [
  { name: 'samepaged alone', facts: {}, level: 'ok', found: /^no other tuner of KSM runs$/ },
  { name: 'nobody', facts: { tuners: known([]) }, level: 'ok', found: /^no other tuner of KSM runs$/ },
  {
    name: 'ksmtuned alone',
    facts: { tuners: known([KSMTUNED]) },
    level: 'note',
    found: /^ksmtuned \(pid 812\) tunes KSM$/,
    remedy: /^# before samepaged is started:\nsystemctl disable --now ksm; systemctl disable --now ksmtuned$/,
  },
  {
    name: 'ksmtuned beside samepaged',
    facts: { tuners: known([KSMTUNED, SAMEPAGED]) },
    level: 'problem',
    found: /^ksmtuned \(pid 812\) and samepaged \(pid 900\) tune the same KSM$/,
    remedy: /^systemctl disable --now ksm; systemctl disable --now ksmtuned$/,
  },
  {
    name: 'ksmtuned where its unit is another name of samepaged’s',
    facts: { tuners: known([KSMTUNED, SAMEPAGED]), ksmtunedIsAlias: known(true) },
    level: 'problem',
    found: /tune the same KSM$/,
    remedy: /^kill 812 {3}# and remove what starts it/,
  },
  {
    name: "KubeVirt's virt-handler beside samepaged",
    facts: { tuners: known([SAMEPAGED, { name: 'virt-handler', pid: 4 }]) },
    level: 'problem',
    found: /virt-handler \(pid 4\) tune the same KSM$/,
    remedy: /^# KubeVirt: remove ksmConfiguration/,
  },
  {
    name: 'MOM beside ksmtuned',
    facts: { tuners: known([KSMTUNED, { name: 'momd', pid: 4 }]) },
    level: 'problem',
    found: /momd \(pid 4\) tune the same KSM$/,
    remedy: /^systemctl disable --now ksm; systemctl disable --now ksmtuned\nsystemctl disable --now mom-vdsm /,
  },
  {
    name: 'MOM alone',
    facts: { tuners: known([{ name: 'momd', pid: 4 }]) },
    level: 'note',
    found: /^momd \(pid 4\) tunes KSM$/,
    remedy: /^# before samepaged is started:\nsystemctl disable --now mom-vdsm /,
  },
  { name: 'hidden processes', facts: { tuners: unknown('hidepid') }, level: 'unknown', found: /^hidepid$/ },
]);

checkTable('ksm-services', [
  {
    name: 'lines that set KSM at boot, and a service that does more than KSM',
    facts: {
      enabledServices: known(new Set(['enable-ksm.service', 'ksm.service', 'samepaged.service'])),
      bootWrites: known([
        { place: '/etc/tmpfiles.d/ksm.conf:2', remedy: '# remove the line /etc/tmpfiles.d/ksm.conf:2' },
      ]),
    },
    level: 'problem',
    found: /^ksm\.service, enable-ksm\.service are enabled; \/etc\/tmpfiles\.d\/ksm\.conf:2 sets KSM beside samepaged$/,
    remedy: /^systemctl disable --now ksm\n# NixOS: hardware\.ksm\.enable = false;\n# remove the line .*:2$/,
  },
  { name: 'samepaged only', facts: {}, level: 'ok', found: /^no other service for KSM is enabled$/ },
  {
    name: 'ksm.service and samepaged.service',
    facts: { enabledServices: known(new Set(['ksm.service', 'samepaged.service'])), tuners: known([]) },
    level: 'problem',
    found: /^ksm\.service is enabled beside samepaged$/,
    remedy: /^systemctl disable --now ksm$/,
  },
  {
    name: 'both of ksmtuned, and samepaged runs',
    facts: { enabledServices: known(new Set(['ksm.service', 'ksmtuned.service'])) },
    level: 'problem',
    found: /^ksm\.service, ksmtuned\.service are enabled beside samepaged$/,
    remedy: /^systemctl disable --now ksm ksmtuned$/,
  },
  {
    name: 'ksmtuned on a host without samepaged',
    facts: { enabledServices: known(new Set(['ksmtuned.service'])), tuners: known([]) },
    level: 'note',
    found: /^ksmtuned\.service is enabled$/,
    remedy: /^# before samepaged is started:\nsystemctl disable --now ksmtuned$/,
  },
  {
    name: 'no systemd',
    facts: { enabledServices: unknown('/etc/systemd/system is not there') },
    level: 'unknown',
    found: /is not there$/,
  },
]);

const ON = known({ ...KSM, run: 1, advisorMode: 'scan-time' } as const);
const WITHOUT_ADVISOR = without(KSM, 'advisorMode');
const ADVISED = configured({ KSM_POLICY: 'advisor' });

checkTable('advisor', [
  { name: 'off', facts: {}, level: 'ok', found: /^off$/ },
  {
    name: 'a kernel without',
    facts: { ksm: known(WITHOUT_ADVISOR) },
    level: 'ok',
    found: /^this kernel has none \(Linux 6\.8/,
  },
  {
    name: 'on, and nobody there',
    facts: { ksm: ON, tuners: known([]) },
    level: 'note',
    found: /^on \(scan-time\); nothing that runs here set it/,
    remedy: /^echo none > .*advisor_mode /,
  },
  {
    name: 'on while ksmd rests: samepaged leaves it alone',
    facts: { ksm: known({ ...KSM, advisorMode: 'scan-time' }) },
    level: 'ok',
    found: /^on \(scan-time\), without effect while ksmd rests$/,
  },
  {
    name: 'on while ksmd rests, with ksmtuned, which does not know it',
    facts: { ksm: known({ ...KSM, advisorMode: 'scan-time' }), tuners: known([KSMTUNED]) },
    level: 'problem',
    found: /while ksmtuned \(pid 812\) runs too/,
    remedy: /^echo none/,
  },
  {
    name: 'on beside samepaged with another policy',
    facts: { ksm: ON },
    level: 'problem',
    found: /^on \(scan-time\) while samepaged \(pid 900\), policy ksmtuned, runs too/,
    remedy: /^echo none/,
  },
  {
    name: "samepaged's own, as the daemon says",
    facts: { ksm: ON, daemon: known({ ...DAEMON, policy: 'advisor' }) },
    level: 'ok',
    found: /samepaged's \(KSM_POLICY=advisor\)$/,
  },
  {
    name: "samepaged's own, as the configuration says when the daemon cannot be asked",
    facts: { ksm: ON, daemon: unknown('no bus'), configuration: ADVISED },
    level: 'ok',
    found: /samepaged's/,
  },
  {
    name: 'the daemon knows better than a configuration it has not read yet',
    facts: { ksm: ON, configuration: ADVISED },
    level: 'problem',
    found: /policy ksmtuned/,
    remedy: /^echo none/,
  },
  { name: 'hidden processes', facts: { ksm: ON, tuners: unknown('hidepid') }, level: 'unknown', found: /^hidepid$/ },
]);
