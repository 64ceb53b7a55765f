import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { Ranges } from '../../../../src/simulation/kernel/ranges.js';

const action = fc.oneof(
  fc.record({ kind: fc.constant('append' as const), pages: fc.nat(8), value: fc.nat(3) }),
  fc.record({ kind: fc.constant('update' as const), from: fc.nat(60), pages: fc.nat(20), value: fc.nat(3) }),
);

describe('values along a line of pages', () => {
  test('values along a line of pages are those of an array of pages, in as few runs as there are', () => {
    fc.assert(
      fc.property(fc.array(action, { maxLength: 40, size: 'max' }), fc.nat(60), (actions, position) => {
        const ranges = new Ranges<number>(Object.is);
        const pages: number[] = [];
        for (const act of actions) {
          if (act.kind === 'append') {
            ranges.append(act.pages, act.value);
            pages.push(...Array.from({ length: act.pages }, () => act.value));
          } else {
            ranges.update(act.from, act.from + act.pages, (value) => (value + act.value) % 4);
            for (let page = act.from; page < Math.min(act.from + act.pages, pages.length); page += 1) {
              pages[page] = ((pages[page] ?? 0) + act.value) % 4;
            }
          }
        }
        const runs = ranges.all();
        assert.deepEqual(
          runs.flatMap(({ from, to, value }) => Array.from({ length: to - from }, () => value)),
          pages,
        );
        assert.equal(ranges.length, pages.length);
        assert.equal(ranges.at(position)?.value, pages[position]);
        assert.deepEqual(
          ranges
            .between(position, position + 9)
            .flatMap(({ from, to, value }) => Array.from({ length: to - from }, () => value)),
          pages.slice(position, position + 9),
        );
        for (const [index, run] of runs.entries()) {
          assert.ok(run.to > run.from);
          assert.notEqual(run.value, runs[index + 1]?.value);
        }
      }),
    );
  });
});
