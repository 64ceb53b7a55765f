import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { lastValueFrom, of } from 'rxjs';
import type { GuestEvent } from '../../../src/core/guest.js';
import { parseNamePatterns } from '../../../src/core/forbiddenGuests.js';
import type { Mergeability } from '../../../src/core/mergeability.js';
import type { Trigger } from '../../../src/core/trigger.js';
import { forbiddenWarning, forbiddenWarnings } from '../../../src/daemon/forbiddenWarnings.js';
import { takeInventory } from '../../../src/core/inventory.js';
import { GuestProcesses } from '../../../src/host/guestProcesses.js';
import { HostTree } from '../../support/hostTree.js';

const seen = (mergeability: Mergeability) => ({ manager: 'libvirt' as const, mergeability });
const YES = seen({ mergeable: true, obstacles: [], locked: false });
const NO = seen({ mergeable: false, obstacles: ['nosharepages'], locked: false });

/** The lines about forbidden guests, of a host where `vault` and `web` run. */
async function news(forbidden: string, triggers: readonly Trigger[], events: readonly GuestEvent[] = []) {
  using tree = HostTree.create();
  tree.addGuest(101, 'vault', 1000);
  tree.addGuest(102, 'web', 1000);
  const processes = new GuestProcesses(tree.root);
  const lines: string[] = [];
  const at = (level: string) => (text: unknown) => void lines.push(`${level}: ${String(text)}`);
  const log = { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error'), fatal: at('fatal') };
  const [retune] = [{ triggers, policy: 'ksmtuned', nextInMillis: 0, failure: new Error('not of interest') }];
  const warning$ = forbiddenWarnings(
    {
      ...{ event$: of(...events), retune$: of(retune), forbidden: () => forbidden },
      processOf: ({ id = '', name }) => processes.processOf({ id, name }),
      inspect: async () => processes.inspect(takeInventory([], await processes.look())),
    },
    log,
  );
  await lastValueFrom(warning$, { defaultValue: undefined });
  return lines;
}

const WARNING =
  'warn: guest vault should not be merged (KSM_FORBID_GUESTS), but KSM may merge it and is a side channel between guests; ' +
  'samepagectl guests forbid -- vault, then restart it';

describe('the log of forbidden guests', () => {
  for (const kind of ['start', 'reload'] as const) {
    test(`the log of forbidden guests has at a ${kind} those that run, and the patterns that mean nobody`, async () => {
      const nobody = 'info: KSM_FORBID_GUESTS: no running guest is called "vualt", "db-*"';
      assert.deepEqual(await news('vault,vualt,db-*', [{ kind }]), [WARNING, nobody]);
    });
  }

  test('the log of forbidden guests has each that starts', async () => {
    const event: GuestEvent = { change: 'started', name: 'vault', id: '101.1000' };
    assert.deepEqual(await news('vault,x', [{ kind: 'timer' }], [event]), [WARNING]);
  });

  test('the log of forbidden guests is empty where none is forbidden', async () => {
    assert.deepEqual(await news('', [{ kind: 'start' }]), []);
  });
});

describe('the warning of a forbidden guest', () => {
  const patterns = parseNamePatterns('bank-*');

  test('a guest that should not be merged and can be is warned of', () => {
    assert.equal(
      forbiddenWarning(patterns, { name: 'bank-1' }, YES),
      'guest bank-1 should not be merged (KSM_FORBID_GUESTS), but KSM may merge it and is a side channel between guests; ' +
        'samepagectl guests forbid -- bank-1, then restart it',
    );
  });

  test('the warning of a forbidden guest names it as one word of a shell', () => {
    assert.match(
      forbiddenWarning(parseNamePatterns('*'), { name: "x'; touch /tmp/pwned #" }, YES) ?? '',
      /samepagectl guests forbid -- 'x'\\''; touch \/tmp\/pwned #', then/,
    );
  });

  test('no warning is given of a guest that cannot be merged, has another name, or is unknown', () => {
    assert.equal(forbiddenWarning(patterns, { name: 'bank-1' }, NO), undefined);
    assert.equal(forbiddenWarning(patterns, { name: 'web' }, YES), undefined);
    assert.equal(forbiddenWarning(patterns, { name: 'bank-1' }, undefined), undefined);
    assert.equal(forbiddenWarning([], { name: 'bank-1' }, YES), undefined);
  });
});
