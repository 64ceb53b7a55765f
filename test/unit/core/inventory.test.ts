import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { type SeenProcess, type ReportedName, takeInventory } from '../../../src/core/inventory.js';

const UUID = '6695eb01-f6a4-8304-79aa-97f2502e193f';

function process(pid: number, name: string, parts: Partial<SeenProcess> = {}): SeenProcess {
  return { pid, startTime: String(pid * 10), name, ...parts };
}

function inWords(told: readonly ReportedName[], processes: readonly SeenProcess[]): string[] {
  return takeInventory(told, processes).map(({ id, name, reported: named, process: seen, stranger }) =>
    [id, name, named === undefined ? '' : 'libvirt', seen?.pid ?? '', stranger ?? ''].join(' ').trim(),
  );
}

describe('the inventory', () => {
  test('the inventory has what libvirt names, and processes that it does not name', () => {
    const seen = [process(3, 'boxes'), process(1, 'web', { uuid: UUID }), process(2, 'far')];
    assert.deepEqual(inWords([{ id: UUID, name: 'web' }], seen), [
      `${UUID} web libvirt 1`,
      '2.20 far  2',
      '3.30 boxes  3',
    ]);
  });

  test('the inventory has guests of libvirt whose process is not seen', () => {
    assert.deepEqual(inWords([{ id: UUID, name: 'web' }], []), [`${UUID} web libvirt`]);
  });

  test('the inventory finds the process of a guest by its UUID, whoever it runs as, and by its name where it has none', () => {
    const told = [{ id: UUID, name: 'web' }];
    assert.deepEqual(inWords(told, [process(1, 'other', { uuid: UUID, stranger: 'u1' })]), [`${UUID} web libvirt 1`]);
    assert.deepEqual(inWords(told, [process(1, 'web')]), [`${UUID} web libvirt 1`]);
    assert.deepEqual(inWords(told, [process(1, 'web', { stranger: 'mallory' })]), [
      `${UUID} web libvirt`,
      '1.10 web (pid 1)   1 mallory'.replace('   ', '  '),
    ]);
  });

  test('the inventory keeps the identity of a guest while libvirt is away; who claims it beside gets another', () => {
    const web = process(1, 'web', { uuid: UUID });
    const copy = process(2, 'copy', { uuid: UUID });
    const stranger = process(0, 'fake', { uuid: UUID, stranger: 'mallory' });
    assert.deepEqual(inWords([], [copy, stranger, web]), [`${UUID} web  1`, '2.20 copy  2', '0.0 fake  0 mallory']);
  });

  test('the inventory tells guests of one name apart: the oldest that counts keeps it', () => {
    const seen = [3002, 3001, 3003].map((pid) => process(pid, 'windows'));
    assert.deepEqual(
      takeInventory([], [process(1, 'windows', { stranger: 'u1' }), ...seen]).map(({ name, plainName }) => [
        name,
        plainName,
      ]),
      [
        ['windows', undefined],
        ['windows (pid 3002)', 'windows'],
        ['windows (pid 3003)', 'windows'],
        ['windows (pid 1)', 'windows'],
      ],
    );
  });

  test('the inventory has each process once, and no name and no identity twice', () => {
    const name = fc.constantFrom('a', 'b', 'c');
    const uuid = fc.constantFrom('u1', 'u2');
    const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
    const processes = fc.array(fc.tuple(name, optional(uuid), optional(fc.constant('mallory'))), { maxLength: 8 });
    const told = fc.uniqueArray(fc.record({ id: uuid, name }), {
      maxLength: 2,
      comparator: (a, b) => a.id === b.id || a.name === b.name,
    });
    fc.assert(
      fc.property(told, processes, (named, list) => {
        const seen = list.map(([called, claims, stranger], at) =>
          process(at + 1, called, {
            ...(claims === undefined ? {} : { uuid: claims }),
            ...(stranger === undefined ? {} : { stranger }),
          }),
        );
        const entries = takeInventory(named, seen);
        const shown = entries.flatMap(({ process: each }) => each?.pid ?? []);
        assert.deepEqual(
          shown.toSorted((a, b) => a - b),
          seen.map(({ pid }) => pid),
        );
        assert.equal(new Set(entries.map(({ id }) => id)).size, entries.length);
        assert.equal(new Set(entries.map(({ name: each }) => each)).size, entries.length);
      }),
    );
  });
});
