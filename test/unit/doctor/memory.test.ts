import { known } from '../../../src/doctor/fact.js';
import { GIB, KSM, MEMORY, MERGING, checkTable, guestOf, without } from '../../support/examples/doctorFacts.js';

const big = (bytes: number) => guestOf({ name: 'big', residentBytes: bytes, configuredBytes: bytes });
const zram = { path: '/dev/zram0', sizeBytes: 4 * GIB, usedBytes: 0, inMemory: true };
const withZram = {
  memory: known({ ...MEMORY, swapTotalBytes: 6 * GIB }),
  swapAreas: known([{ path: '/dev/sda2', sizeBytes: 2 * GIB, usedBytes: 0, inMemory: false }, zram]),
};
const huge = guestOf({
  name: 'db',
  configuredBytes: 64 * GIB,
  mergeability: { mergeable: false, obstacles: ['hugepages'], locked: false },
});

checkTable('promised-memory', [
  { name: 'no guest', facts: {}, level: 'ok', found: /^no running guest uses/ },
  {
    name: 'fits to the byte',
    facts: { guests: known([big(18 * GIB)]) },
    level: 'ok',
    found: /^1 guest may take 18\.0 GiB; there is 16\.0 GiB \+ 2\.0 GiB swap$/,
  },
  {
    name: 'a byte too much',
    facts: { guests: known([big(18 * GIB + 1)]) },
    level: 'problem',
    found: /^1 guest may take 18\.0 GiB/,
    remedy: /^fallocate -l 1G \/swapfile-1G && chmod 600 \/swapfile-1G\nmkswap .*\n#/,
  },
  {
    name: 'fits into zram only',
    facts: { ...withZram, guests: known([big(22 * GIB)]) },
    level: 'note',
    found: /16\.0 GiB \+ 2\.0 GiB swap \+ 4\.0 GiB zram$/,
    remedy: /^fallocate -l 4G /,
  },
  {
    name: 'not even into zram',
    facts: { ...withZram, guests: known([big(22 * GIB + 1)]) },
    level: 'problem',
    found: /zram$/,
    remedy: /^fallocate -l 5G /,
  },
  {
    name: 'guests in hugepages count on the pool, which others cannot use',
    facts: {
      guests: known([huge, big(10 * GIB)]),
      memory: known({ ...MEMORY, hugetlbBytes: 9 * GIB }),
    },
    level: 'problem',
    found: /^1 guest may take 10\.0 GiB; there is 7\.0 GiB \+ 2\.0 GiB swap$/,
    remedy: /^fallocate -l 1G /,
  },
  {
    name: 'only guests in hugepages',
    facts: { guests: known([huge]) },
    level: 'ok',
    found: /^no running guest uses this memory/,
  },
  {
    name: 'two guests unknown',
    facts: { guests: known([big(GIB), ...['a', 'b'].map((name) => guestOf({ name, configuredBytes: 0 }))]) },
    level: 'ok',
    found: /^1 guest may take 1\.0 GiB \(2 more unknown\);/,
  },
  {
    name: 'no guest told',
    facts: { guests: known([guestOf({ name: 'odd', configuredBytes: 0 })]) },
    level: 'unknown',
    found: /command line/,
  },
]);

const OLD_MEMORY = without(MEMORY, 'memAvailableBytes');
const saving = (bytes: number) => known({ ...MERGING, pagesSharing: bytes / 4096 });

checkTable('split-headroom', [
  { name: 'nothing merged', facts: {}, level: 'ok', found: /^nothing is merged$/ },
  {
    name: 'fits to the page',
    facts: { ksm: saving(10 * GIB) },
    level: 'ok',
    found: /^if all merged pages split, 10\.0 GiB would be needed; there is 10\.0 GiB available \+ 2\.0 GiB free swap$/,
  },
  {
    name: 'with swap only',
    facts: { ksm: saving(12 * GIB) },
    level: 'note',
    found: /: 2\.0 GiB would be swapped$/,
  },
  {
    name: 'a page too much for both',
    facts: { ksm: saving(12 * GIB + 4096) },
    level: 'problem',
    found: /^if all merged pages split, 12\.0 GiB/,
    remedy: /^fallocate -l 1G /,
  },
  {
    name: "ZFS's cache counts as available, and swap on ZFS is a volume",
    facts: {
      ksm: saving(15 * GIB),
      memory: known({ ...MEMORY, reclaimableArcBytes: 2 * GIB }),
      rootFileSystem: known({ source: 'rpool/ROOT/pve-1', type: 'zfs' }),
    },
    level: 'problem',
    found: /; there is 12\.0 GiB \(2\.0 GiB of it in ZFS's cache\) available \+ 2\.0 GiB free swap$/,
    remedy: /^zfs create -V 1G .* rpool\/swap-1G$/m,
  },
  {
    name: 'a swap file on btrfs is made by btrfs',
    facts: { ksm: saving(13 * GIB), rootFileSystem: known({ source: '/dev/sda1', type: 'btrfs' }) },
    level: 'problem',
    found: /^if all merged pages split/,
    remedy: /^btrfs filesystem mkswapfile --size 1G \/swapfile-1G$/m,
  },
  {
    name: 'pages merged into the zero page count',
    facts: { ksm: known({ ...KSM, ksmZeroPages: (13 * GIB) / 4096 }) },
    level: 'problem',
    found: /13\.0 GiB would be needed/,
    remedy: /^fallocate/,
  },
  {
    name: 'in pages of 16 KiB',
    facts: { ksm: saving(4 * GIB), pageSize: known({ bytes: 16_384, assumed: false }) },
    level: 'problem',
    found: /16\.0 GiB would be needed/,
    remedy: /^fallocate -l 4G /,
  },
  {
    name: 'MemAvailable unknown',
    facts: { ksm: known(MERGING), memory: known(OLD_MEMORY) },
    level: 'unknown',
    found: /3\.14/,
  },
]);

const pool = { pageBytes: 2 * 1024 ** 2, total: 1024, free: 0, reserved: 0 };

checkTable('hugepage-pools', [
  { name: 'none', facts: {}, level: 'ok', found: /^none$/ },
  { name: 'all in use', facts: { hugepagePools: known([pool]) }, level: 'ok', found: /^2\.0 GiB, all in use$/ },
  {
    name: 'what is free is reserved',
    facts: { hugepagePools: known([{ ...pool, free: 100, reserved: 100 }]) },
    level: 'ok',
    found: /all in use$/,
  },
  {
    name: 'one page more is free than reserved',
    facts: { hugepagePools: known([{ ...pool, free: 612, reserved: 100 }]) },
    level: 'note',
    found: /^1\.0 GiB of 2\.0 GiB are unused$/,
    remedy: /^echo 512 > \/sys\/kernel\/mm\/hugepages\/hugepages-2048kB\/nr_hugepages$/,
  },
]);
