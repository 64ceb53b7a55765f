import { formatBytes, plural } from '../../core/format.js';
import { savingsOf } from '../../core/savings.js';
import { availableBytesOf, describeAvailable, hostMemory } from '../../core/memory.js';
import type { FileSystem } from '../../host/mounts.js';
import type { SwapArea } from '../../host/swap.js';
import { type Check, check, note, ok, problem, unanswered, valueOf } from '../check.js';
import { daemonRuns, setKsm } from '../remedies.js';

const GIB = 1024 ** 3;

/**
 * What samepaged decided, where it tells. Where nobody does, by ksmtuned's rule: memory is enough when guests' resident
 * memory and the reserve fit into the total and free memory is above the reserve, which is KSM_THRES_COEF percent of the
 * total, at least KSM_THRES_CONST.
 */
const spareMemory = check({
  id: 'spare-memory',
  title: 'Spare memory',
  why: "While memory is plenty, merging only costs: ksmd's CPU time, and a page fault at each write to a merged page.",
  needs: ['ksm', 'memory', 'guests', 'configuration'],
  judge: ({ ksm: { run }, memory, guests, configuration }, facts) => {
    const { hold = '', dryRun = false, lastRetune } = valueOf(facts.daemon) ?? {};
    if (lastRetune?.sentence !== undefined && hold === '' && !dryRun) return ok(lastRetune.sentence);
    const { KSM_POLICY: policy, KSM_WHEN: when, ...values } = configuration.values;
    const { totalBytes, freeBytes, committedBytes } = hostMemory(memory, guests, values.KSM_MEMORY_ACCOUNTING);
    const reserveBytes = Math.max((totalBytes * values.KSM_THRES_COEF) / 100, values.KSM_THRES_CONST);
    const enough = committedBytes + reserveBytes < totalBytes && freeBytes > reserveBytes;
    const figures = `${formatBytes(freeBytes)} free, ${formatBytes(reserveBytes)} reserve`;
    const merges = run === 1;
    if (enough !== merges)
      return ok(`${enough ? 'enough' : 'short'} (${figures}), and ksmd ${merges ? 'merges' : 'rests'}`);
    const host = `guests use ${formatBytes(committedBytes)} of ${formatBytes(totalBytes)}; ${figures}`;
    const found = `memory is ${merges ? 'plenty and ksmd merges anyway' : 'short and ksmd rests'}`;
    if (hold !== '') return note(`${found} (${hold} by hand): ${host}`, 'samepagectl resume');
    if (dryRun || !daemonRuns(facts)) return note(`${found}: ${host}`, setKsm('run', merges ? 0 : 1));
    return lastRetune !== undefined || (policy === 'ksmtuned' && when === 'needed')
      ? note(`${found}: ${host}`, 'samepagectl retune')
      : unanswered(`${found}, perhaps as samepaged wants it (KSM_POLICY=${policy}, KSM_WHEN=${when}): ${host}`);
  },
});

/**
 * Red Hat's advice for overcommitted hosts: swap must hold what guests were promised beyond the host's memory. Guests in
 * hugepages have theirs from the pool and count on neither side. zram is memory itself and counts apart.
 */
const promisedMemory = check({
  id: 'promised-memory',
  title: 'Promised memory',
  why:
    'Guests may use all the memory that they were promised, at any time and without equal pages. If that exceeds memory and ' +
    "swap, the kernel's OOM killer ends guests.",
  needs: ['memory', 'guests', 'swapAreas', 'rootFileSystem'],
  judge: ({ memory, guests, swapAreas, rootFileSystem }) => {
    const counted = guests.filter((guest) => guest.mergeability?.obstacles.includes('hugepages') !== true);
    const sized = counted.filter(({ configuredBytes }) => configuredBytes > 0);
    if (counted.length === 0) return ok('no running guest uses this memory');
    if (sized.length === 0) return unanswered("no guest's command line shows its memory");
    const promisedBytes = sized.reduce((sum, { configuredBytes }) => sum + configuredBytes, 0);
    const memoryBytes = memory.memTotalBytes - memory.hugetlbBytes;
    const zramBytes = inMemoryBytes(swapAreas);
    const swapBytes = memory.swapTotalBytes - zramBytes;
    const unknown = counted.length - sized.length;
    const figures =
      `${plural(sized.length, 'guest')} may take ${formatBytes(promisedBytes)}` +
      `${unknown === 0 ? '' : ` (${unknown} more unknown)`}; there is ${formatBytes(memoryBytes)}` +
      ` + ${formatBytes(swapBytes)} swap${zramBytes === 0 ? '' : ` + ${formatBytes(zramBytes)} zram`}`;
    const missingBytes = promisedBytes - memoryBytes - swapBytes;
    if (missingBytes <= 0) return ok(figures);
    const remedies = addSwap(missingBytes, rootFileSystem);
    return missingBytes <= zramBytes ? note(figures, ...remedies) : problem(figures, ...remedies);
  },
});

function inMemoryBytes(areas: readonly SwapArea[]): number {
  return areas.filter(({ inMemory }) => inMemory).reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}

/**
 * A guest that writes to its merged pages gets its own copies back: at worst every page that merging saves is needed
 * again. They are needed at once, so that available memory is what counts; swap comes into it only slowly.
 */
const splitHeadroom = check({
  id: 'split-headroom',
  title: 'Room to split',
  why:
    'A guest that writes to merged pages gets its own copies at once, for example when many guests update or reboot. If ' +
    'there is no room for them the host swaps, and then the OOM killer ends guests.',
  needs: ['ksm', 'memory', 'pageSize', 'rootFileSystem'],
  judge: ({ ksm, memory, pageSize, rootFileSystem }, { daemon }) => {
    const { memAvailableBytes, swapFreeBytes } = memory;
    const { savedBytes: saved, freedBytes: freed } = savingsOf(ksm, pageSize.bytes, valueOf(daemon));
    if (saved === 0) return ok('nothing is merged');
    if (memAvailableBytes === undefined) return unanswered('this kernel does not report MemAvailable (Linux 3.14)');
    const availableBytes = availableBytesOf(memory);
    const room = `${describeAvailable(memory)} available + ${formatBytes(swapFreeBytes)} free swap`;
    const what =
      freed > 0
        ? 'if all merged pages split, and guests use again what splits of huge pages freed'
        : 'if all merged pages split';
    const figures = `${what}, ${formatBytes(saved)} would be needed; there is ${room}`;
    if (saved <= availableBytes) return ok(figures);
    const missingBytes = saved - availableBytes - swapFreeBytes;
    return missingBytes <= 0
      ? note(`${figures}: ${formatBytes(saved - availableBytes)} would be swapped`)
      : problem(figures, ...addSwap(missingBytes, rootFileSystem));
  },
});

/**
 * Commands for `bytes` of swap, rounded up to GiB. ZFS has no swap files, only volumes (OpenZFS FAQ, "Using a zvol for a swap
 * device"); btrfs needs a file without copy-on-write (btrfs-filesystem(8), mkswapfile).
 */
function addSwap(bytes: number, { type, source }: FileSystem): readonly string[] {
  const size = `${Math.ceil(bytes / GIB)}G`;
  const file = `/swapfile-${size}`;
  const volume = `${source.split('/')[0] ?? ''}/swap-${size}`;
  const commands: Readonly<Record<string, readonly string[]>> = {
    zfs: [
      `zfs create -V ${size} -b $(getconf PAGESIZE) -o logbias=throughput -o sync=always -o primarycache=metadata ${volume}`,
      `mkswap -f /dev/zvol/${volume} && swapon /dev/zvol/${volume}`,
      '# swap on ZFS can hang when memory is very short: a partition is safer',
    ],
    btrfs: [`btrfs filesystem mkswapfile --size ${size} ${file}`, `swapon ${file}`],
  };
  return [
    ...(commands[type] ?? [`fallocate -l ${size} ${file} && chmod 600 ${file}`, `mkswap ${file} && swapon ${file}`]),
    '# or move a guest elsewhere; a line in /etc/fstab makes it permanent',
  ];
}

const hugepagePools = check({
  id: 'hugepage-pools',
  title: 'Hugepage pools',
  why: "Memory in a hugepage pool is never merged, and only the pool's users can use its free part.",
  needs: ['hugepagePools'],
  judge: ({ hugepagePools: pools }) => {
    if (pools.length === 0) return ok('none');
    const bytes = (count: (pool: (typeof pools)[number]) => number) =>
      formatBytes(pools.reduce((sum, pool) => sum + count(pool) * pool.pageBytes, 0));
    const spare = pools.filter(({ free, reserved }) => free > reserved);
    if (spare.length === 0) return ok(`${bytes(({ total }) => total)}, all in use`);
    return note(
      `${bytes(({ free, reserved }) => free - reserved)} of ${bytes(({ total }) => total)} are unused`,
      ...spare.map(({ pageBytes, total, free, reserved }) => {
        const pool = `/sys/kernel/mm/hugepages/hugepages-${pageBytes / 1024}kB`;
        return `echo ${total - free + reserved} > ${pool}/nr_hugepages`;
      }),
    );
  },
});

export const MEMORY_CHECKS: readonly Check[] = [spareMemory, promisedMemory, splitHeadroom, hugepagePools];
