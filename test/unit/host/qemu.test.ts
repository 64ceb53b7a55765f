import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { hypervisorOf } from '../../../src/host/hypervisors.js';

const MIB = 1024 ** 2;
const GIB = 1024 ** 3;
const UUID = '6695eb01-f6a4-8304-79aa-97f2502e193f';
const PID = 4242;

/** A command line; what is in single quotes is one word. */
function words(line: string): string[] {
  return Array.from(line.matchAll(/'([^']*)'|([^ ]+)/g), ([, quoted, bare]) => quoted ?? bare ?? '');
}

/** What a command line says; what it runs is told by it alone, unless the file is. */
const describedBy = (line: string, executable?: string) =>
  hypervisorOf(words(line), executable)?.describe(words(line), PID);

function guestOf(argv: readonly string[], pid: number): { name: string; configuredBytes: number } | undefined {
  const guest = hypervisorOf(argv, undefined)?.describe(argv, pid);
  return guest && { name: guest.name, configuredBytes: guest.configuredBytes };
}

const name = (line: string) => guestOf(words(line), PID)?.name;
const configured = (line: string) => guestOf(words(line), PID)?.configuredBytes;

describe('a guest', () => {
  const rows: { name: string; line: string; guest: { name: string; configuredBytes: number } }[] = [
    {
      name: 'libvirt 9 on Debian 12',
      line:
        '/usr/bin/qemu-system-x86_64 -name guest=deb12,debug-threads=on -S ' +
        `-object '{"qom-type":"secret","id":"masterKey0","format":"raw","file":"/var/lib/libvirt/qemu/domain-1-deb12/master-key.aes"}' ` +
        '-machine pc-q35-7.2,usb=off,dump-guest-core=off,memory-backend=pc.ram -accel kvm -cpu host,migratable=on ' +
        `-m 2048 -object '{"qom-type":"memory-backend-ram","id":"pc.ram","size":2147483648}' -overcommit mem-lock=off ` +
        `-smp 2,sockets=2,cores=1,threads=1 -uuid ${UUID} -no-user-config -nodefaults ` +
        '-chardev socket,id=charmonitor,fd=31,server=on,wait=off -mon chardev=charmonitor,id=monitor,mode=control ' +
        '-rtc base=utc,driftfix=slew -no-shutdown -boot strict=on -msg timestamp=on',
      guest: { name: 'deb12', configuredBytes: 2 * GIB },
    },
    {
      name: 'libvirt 11 on Debian 13',
      line: `/usr/bin/qemu-system-x86_64 -name guest=deb13,debug-threads=on -S -machine pc-q35-10.0,usb=off -accel kvm -m size=2097152k -uuid ${UUID}`,
      guest: { name: 'deb13', configuredBytes: 2 * GIB },
    },
    {
      name: 'Fedora, with memory to plug',
      line: `/usr/bin/qemu-system-x86_64 -name guest=fedora,debug-threads=on -S -m size=1048576k,slots=16,maxmem=8388608k -uuid ${UUID}`,
      guest: { name: 'fedora', configuredBytes: GIB },
    },
    {
      name: 'RHEL',
      line: `/usr/libexec/qemu-kvm -name guest=rhel,debug-threads=on -S -machine pc-q35-rhel9.4.0,usb=off -accel kvm -m size=4194304k -uuid ${UUID}`,
      guest: { name: 'rhel', configuredBytes: 4 * GIB },
    },
    {
      name: 'a domain of libvirt with an underscore',
      line: `/usr/libexec/qemu-kvm -name guest=default_vmi-fedora,debug-threads=on -S -m size=1048576k -uuid ${UUID}`,
      guest: { name: 'default_vmi-fedora', configuredBytes: GIB },
    },
    {
      name: 'KubeVirt, whose directories are in the command line',
      line: `/usr/libexec/qemu-kvm -name guest=team-a_web_1,debug-threads=on -S -object {"qom-type":"secret","file":"/var/run/kubevirt-private/libvirt/qemu/lib/domain-1-team-a_web_1/master-key.aes"} -m size=1048576k -uuid ${UUID}`,
      guest: { name: 'team-a/web_1', configuredBytes: GIB },
    },
    {
      name: 'Debian through its script kvm',
      line: 'qemu-system-x86_64 -enable-kvm -m 1024 -name web',
      guest: { name: 'web', configuredBytes: GIB },
    },
    {
      name: 'Incus, which keeps the memory in a file',
      line: `/opt/incus/bin/qemu-system-x86_64 -S -name v1 -uuid ${UUID} -daemonize -cpu host -nographic -nodefaults -readconfig /run/incus/v1/qemu.conf -pidfile /run/incus/v1/qemu.pid`,
      guest: { name: 'v1', configuredBytes: 0 },
    },
    {
      name: 'Kata Containers',
      line: `/opt/kata/bin/qemu-system-x86_64 -name sandbox-0d2f,debug-threads=on -uuid ${UUID} -machine q35,accel=kvm -m 2048M,slots=10,maxmem=15G`,
      guest: { name: 'sandbox-0d2f', configuredBytes: 2 * GIB },
    },
    {
      name: 'by hand, without a name',
      line: 'qemu-system-aarch64 -M virt -m 2G -kernel Image',
      guest: { name: 'qemu-4242', configuredBytes: 2 * GIB },
    },
    {
      name: 'by hand, with a uuid only',
      line: `qemu-system-s390x -uuid ${UUID}`,
      guest: { name: UUID, configuredBytes: 0 },
    },
    { name: 'with two dashes', line: 'kvm --name web --m 512', guest: { name: 'web', configuredBytes: 512 * MIB } },
    {
      name: 'Debian 12 on its small x86 machine',
      line: '/usr/bin/qemu-system-x86_64-microvm -M microvm -name tiny -m 128',
      guest: { name: 'tiny', configuredBytes: 128 * MIB },
    },
    {
      name: 'with nothing but a disk: QEMU gives it 128 MiB',
      line: 'qemu-system-x86_64 -enable-kvm disk.qcow2',
      guest: { name: 'qemu-4242', configuredBytes: 0 },
    },
  ];
  for (const { name: title, line, guest } of rows) {
    test(`a command line is that of a guest: ${title}`, () => {
      assert.deepEqual(guestOf(words(line), PID), guest);
    });
  }
});

describe('a Proxmox guest', () => {
  const line = (id: number, memory = '2048') =>
    `/usr/bin/kvm -id ${id} -name web,debug-threads=on -no-shutdown ` +
    `-chardev socket,id=qmp,path=/var/run/qemu-server/${id}.qmp,server=on,wait=off -mon chardev=qmp,mode=control ` +
    `-pidfile /var/run/qemu-server/${id}.pid -daemonize -smbios type=1,uuid=${UUID} ` +
    `-smp 2,sockets=1,cores=2,maxcpus=2 -nodefaults -vnc unix:/var/run/qemu-server/${id}.vnc,password=on ` +
    `-cpu kvm64,enforce,+kvm_pv_eoi,+kvm_pv_unhalt -m ${memory} -machine type=pc+pve0`;

  test('a Proxmox guest has its name and memory', () => {
    const guest = guestOf(words(line(100)), PID);
    assert.match(guest?.name ?? '', /\bweb\b/);
    assert.equal(guest?.configuredBytes, 2 * GIB);
  });

  test('a Proxmox guest has its memory with memory hotplug, where it is in MiB', () => {
    assert.equal(configured(line(100, 'size=1024,slots=255,maxmem=4194304M')), GIB);
  });

  test('a Proxmox guest is not taken for another of the same name: Proxmox tells guests apart by their number', () => {
    assert.notEqual(name(line(100)), name(line(101)));
  });
});

describe('no guest', () => {
  const rows: { name: string; line: string }[] = [
    {
      name: "libvirt's look at what QEMU can do",
      line: '/usr/bin/qemu-system-x86_64 -S -no-user-config -nodefaults -nographic -machine none,accel=kvm:tcg -qmp unix:/var/lib/libvirt/qemu/qmp-8Qx1/qmp.monitor,server=on,wait=off -pidfile /var/lib/libvirt/qemu/qmp-8Qx1/qmp.pid -daemonize',
    },
    {
      name: "older libvirt's look at what QEMU can do",
      line: '/usr/libexec/qemu-kvm -S -no-user-config -nodefaults -nographic -M none -qmp unix:/var/lib/libvirt/qemu/capabilities.monitor.sock,server,nowait -daemonize',
    },
    {
      name: 'QEMU without a machine, whatever else it is told',
      line: 'qemu-system-x86_64 -name probe -machine none,accel=tcg -qmp stdio -m 64',
    },
    { name: 'a question', line: 'qemu-system-x86_64 -version' },
    { name: 'a list of machines', line: 'qemu-system-x86_64 -machine help' },
    { name: 'qemu-img', line: 'qemu-img convert -m 8 -O qcow2 a b' },
    { name: 'qemu-nbd', line: '/usr/bin/qemu-nbd -c /dev/nbd0 disk' },
    { name: 'qemu-storage-daemon', line: 'qemu-storage-daemon --blockdev driver=file,node-name=a,filename=b' },
    { name: 'the guest agent', line: '/usr/bin/qemu-ga -m virtio-serial' },
    { name: 'user emulation', line: 'qemu-x86_64 ./a.out -m 5 -name x' },
    { name: 'a script run by its shell', line: '/bin/sh /usr/local/bin/qemu-system-foo.sh -name web -m 512' },
    { name: 'a script', line: '/usr/local/bin/qemu-system-foo.sh -name web -m 512' },
    { name: 'a search for guests', line: 'pgrep -f qemu-system-x86_64 -name web -m 5' },
    { name: 'an editor', line: 'vi qemu-system-x86_64 -name web' },
    { name: 'a directory of the name', line: '/opt/qemu-system-x86_64/bin/tool -name web -m 5' },
    { name: 'a kernel thread', line: '' },
  ];
  for (const { name: title, line } of rows) {
    test(`a command line is that of no guest: ${title}`, () => {
      assert.equal(guestOf(words(line), PID), undefined);
    });
  }
});

/** What QEMU 7.2 answers to query-name and query-memory-size-summary for these. */
describe('options are read as QEMU reads them', () => {
  const names: [string, string][] = [
    ['-name web', 'web'],
    ['-name guest=web', 'web'],
    ['-name guest=web,process=x,debug-threads=on', 'web'],
    ['-name a,,b', 'a,b'],
    ['-name guest=a,,b,,,debug-threads=on', 'a,b,'],
    ['-name guest=a=b,debug-threads=on', 'a=b'],
    ['-name guest=größe', 'größe'],
    ['-name guest=\u001b[31mev\nil\u009b\u202ex', '?[31mev?il??x'],
    ['-uuid a\u001bb', 'a?b'],
    [`-name 'a b'`, 'a b'],
    ['-name debug-threads=on,guest=web', 'web'],
    ['-name process=x,guest=web', 'web'],
    ['-name one -name two', 'two'],
    ['-name web -name debug-threads=on', 'web'],
    [`-name guest= -uuid ${UUID}`, UUID],
    [`-name debug-threads=on -uuid ${UUID}`, UUID],
  ];
  for (const [options, expected] of names) {
    test(`the options ${JSON.stringify(options)} give the name ${expected}`, () => {
      assert.equal(name(`qemu-system-x86_64 ${options} -m 512`), expected);
    });
  }

  const sizes: [string, number][] = [
    ['-m 512', 512 * MIB],
    ['-m 512m', 512 * MIB],
    ['-m 524288k', 512 * MIB],
    ['-m 4G', 4 * GIB],
    ['-m 1T', 1024 * GIB],
    ['-m size=512', 512 * MIB],
    ['-m 1.5G', 1.5 * GIB],
    ['-m 536870912b', 512 * MIB],
    ['-m 536870912B', 512 * MIB],
    ['-m slots=2,maxmem=8G,size=512M', 512 * MIB],
    ['-m 512 -m 1G', GIB],
  ];
  for (const [options, bytes] of sizes) {
    test(`the options ${options} give ${bytes / MIB} MiB`, () => {
      assert.equal(configured(`qemu-system-x86_64 -name web ${options}`), bytes);
    });
  }
});

test("no command line makes the reading of QEMU's options throw, and a guest always has a name", () => {
  const word = fc.oneof(
    fc.constantFrom('-name', '-m', '-uuid', '--name', '-machine', '-qmp', 'none', ',', 'guest=', 'size=', '5', '-id'),
    fc.string({ unit: 'binary' }),
  );
  const executable = fc.constantFrom('kvm', '/usr/libexec/qemu-kvm', 'qemu-system-x86_64');
  fc.assert(
    fc.property(executable, fc.array(word), (program, rest) => {
      const guest = guestOf([program, ...rest], PID);
      if (guest === undefined) return;
      assert.ok(guest.name.length > 0);
      assert.doesNotMatch(guest.name, /[\p{Cc}\p{Cf}]/u);
      assert.ok(Number.isFinite(guest.configuredBytes) && guest.configuredBytes >= 0);
    }),
  );
});

describe('a guest is known by what its process runs', () => {
  test("Ubuntu's emulator is known as a guest", () => {
    assert.equal(describedBy('/usr/bin/kvm-spice -name web')?.name, 'web');
  });

  test('a guest is known by the file that runs, under any name, also one that an upgrade replaced', () => {
    assert.equal(describedBy('vm -name web', '/usr/bin/qemu-system-x86_64')?.name, 'web');
    assert.equal(describedBy('vm -name web', '/nix/store/x/bin/.qemu-system-x86_64-wrapped')?.name, 'web');
    assert.equal(describedBy('qemu-system-x86_64.sh -name web', '/usr/bin/bash'), undefined);
  });

  test('a guest is known by what it was given: name, number, UUID', () => {
    assert.deepEqual(
      describedBy(`/usr/bin/kvm -id 104 -name vault,debug-threads=on -uuid ${UUID.toUpperCase()} -m 2048`),
      {
        name: 'vault (104)',
        plainName: 'vault',
        vmId: '104',
        uuid: UUID,
        configuredBytes: 2 * GIB,
      },
    );
  });
});

test('a word that is no number is no number of Proxmox VE’s, as it would stand in a command to paste', () => {
  for (const id of ['1;reboot', '-1', '', '１']) {
    const guest = hypervisorOf(['/usr/bin/kvm'], undefined)?.describe(
      ['/usr/bin/kvm', '-id', id, '-name', 'vault'],
      PID,
    );
    assert.deepEqual([guest?.name, guest?.vmId], ['vault', undefined]);
  }
});

describe('guests of other hypervisors', () => {
  const rows: { name: string; line: string; guest: string; bytes: number; obstacles: string[] }[] = [
    {
      name: 'cloud-hypervisor offers its memory where it is told so',
      line: '/usr/local/bin/cloud-hypervisor --kernel vmlinux --memory size=1024M,mergeable=on',
      guest: 'cloud-hypervisor-4242',
      bytes: GIB,
      obstacles: [],
    },
    {
      name: 'cloud-hypervisor as it is by default, with 512 MiB',
      line: 'cloud-hypervisor --api-socket=/run/vc/vm/1/clh-api.sock',
      guest: 'cloud-hypervisor-4242',
      bytes: 512 * MIB,
      obstacles: ['not offered'],
    },
    {
      name: 'cloud-hypervisor with shared memory in hugepages',
      line: 'cloud-hypervisor --memory=size=1G,shared=on,hugepages=on,mergeable=on',
      guest: 'cloud-hypervisor-4242',
      bytes: GIB,
      obstacles: ['shared', 'hugepages'],
    },
    {
      name: 'Firecracker in its jail',
      line: '/firecracker --id=551e7604 --start-time-us 1 --api-sock api.socket',
      guest: '551e7604',
      bytes: 0,
      obstacles: ['not offered'],
    },
    {
      name: 'crosvm',
      line: 'crosvm run --mem size=2048 --name term vmlinux',
      guest: 'term',
      bytes: 2 * GIB,
      obstacles: ['shared'],
    },
  ];
  for (const { name: title, line, guest, bytes, obstacles } of rows) {
    test(`a guest of another hypervisor is known: ${title}`, () => {
      const described = describedBy(line);
      assert.deepEqual([described?.name, described?.configuredBytes], [guest, bytes]);
      assert.deepEqual(hypervisorOf(words(line), undefined)?.traits(words(line)).obstacles, obstacles);
    });
  }

  test('a program that only asks or commands a hypervisor is not a guest', () => {
    for (const line of ['crosvm balloon 4096 /run/crosvm.sock', 'firecracker --version', 'cloud-hypervisor -V']) {
      assert.equal(describedBy(line), undefined, line);
    }
  });
});
