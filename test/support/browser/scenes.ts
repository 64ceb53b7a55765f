import type { HistoryRecord } from '../../../src/core/history/record.js';
import { encodeLine } from '../../../src/state/history/lines.js';
import { HostTree } from '../hostTree.js';
import { trajectoryOf, exampleDay } from '../examples/historyExample.js';

const MIB_KB = 1024;
const PAGE_BYTES = 4096;

/** What a simulated host shows. */
export interface Scene {
  readonly guests: readonly SceneGuest[];
  /** The host's memory that is free, in kB of 16 GiB. */
  readonly freeKb: number;
  readonly history: readonly HistoryRecord[];
  readonly config?: string;
}

export interface SceneGuest {
  readonly name: string;
  readonly residentMb: number;
  readonly mergedPages: number;
  /** More words of its command line. */
  readonly args?: readonly string[];
  readonly isMergeable?: boolean;
}

/** Names of many scripts, of both directions, and such as want to be something else. */
export const NAMES = [
  'web-01',
  'База данных',
  '数据库-主',
  'サーバー',
  'خادم الملفات',
  'שרת דואר',
  'दिल्ली',
  '🦊 fox',
  '<b>bold</b>',
  'x'.repeat(80),
  'a\u202Egnp.exe',
  'it\'s "quoted"',
  '100 % $HOME `id`',
] as const;

/** A host with so many guests, short of memory, and a day's history. */
export function sceneOf(count: number, nowMillis: number): Scene {
  const guests = Array.from({ length: count }, (_each, index): SceneGuest => {
    const name = count === NAMES.length ? (NAMES[index] ?? '') : `guest-${String(index + 1).padStart(3, '0')}`;
    return {
      name,
      residentMb: 6000 / count,
      mergedPages: Math.round(1_600_000 / count / (1 + (index % 5))),
      ...kindOf(index),
    };
  });
  return {
    guests,
    freeKb: 900_000,
    history: exampleDay(nowMillis - 86_400_000),
    config: 'KSM_FORBID_GUESTS=*数据库*\n',
  };
}

/** The last hours with their events, and a sample every ten seconds. */
export function lastHours(hours: number, nowMillis: number): readonly HistoryRecord[] {
  return trajectoryOf({
    fromMillis: nowMillis - hours * 3_600_000,
    minutes: hours * 60,
    every: 1 / 6,
    changes: Array.from({ length: hours * 9 }, (_each, index) => ({
      minute: 5 + index * 6,
      change: index % 3 === 2 ? 'stopped' : 'started',
      name: `web-0${(index % 9) + 1}`,
    })),
  });
}

function kindOf(index: number): Partial<SceneGuest> {
  switch (index % 13) {
    case 3:
      return { args: ['-machine', 'q35,mem-merge=off'], isMergeable: false, mergedPages: 0 };
    case 5:
      return { args: ['-device', 'vfio-pci,host=0000:01:00.0'], mergedPages: 0 };
    case 7:
      return { isMergeable: false, mergedPages: 0 };
    default:
      return {};
  }
}

/** The scene as the files of a host, below a directory of this process's. */
export function treeOf({ guests, freeKb, history, config = '' }: Scene): HostTree {
  const tree = HostTree.create();
  tree.setMeminfo({ MemFree: freeKb, MemAvailable: freeKb + 1_500_000 });
  const merged = guests.reduce((sum, { mergedPages }) => sum + mergedPages, 0);
  tree.setKsm('pages_shared', Math.round(merged / 8));
  tree.setKsm('pages_sharing', merged);
  tree.setKsm('general_profit', merged * PAGE_BYTES - 50_000_000);
  tree.addKsmd();
  guests.forEach(({ name, residentMb, mergedPages, args = [], isMergeable = true }, index) => {
    const pid = 2000 + index;
    const configuredMb = String(Math.round(residentMb * 1.5));
    const argv = [
      '/usr/bin/qemu-system-x86_64',
      '-name',
      `guest=${name.replaceAll(',', ',,')}`,
      '-m',
      configuredMb,
      ...args,
    ];
    tree.addProcess({ pid, argv, residentKb: Math.round(residentMb * MIB_KB), startTime: 1000 + index });
    tree.write(
      `proc/${pid}/ksm_stat`,
      `ksm_rmap_items ${mergedPages * 2}\nksm_zero_pages 0\nksm_merging_pages ${mergedPages}\n` +
        `ksm_process_profit ${mergedPages * (PAGE_BYTES - 128)}\nksm_merge_any: no\nksm_mergeable: ${isMergeable ? 'yes' : 'no'}\n`,
    );
  });
  tree.write('history.log', history.map((record) => encodeLine(record).text).join(''));
  tree.write('ksmtuned.conf', config);
  return tree;
}

/** Where the machine has the tree of a scene. */
export const SCENE_ROOT = '/srv/scene';
