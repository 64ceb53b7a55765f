import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { Variant } from 'dbus-next';
import fc from 'fast-check';
import * as v from 'valibot';
import { Configuration, Explanation, Guests, Properties, Reloaded, Retune } from '../../src/api/replies.js';
import { plain } from '../../src/api/unpack.js';
import { KEYS } from '../../src/config/keys.js';
import { ConfigError, formatConfig, loadConfig } from '../../src/config/load.js';
import { KSM_SETTINGS, type KsmSettings } from '../../src/core/ksm.js';
import type { HistoryRecord } from '../../src/core/history/record.js';
import { FatalError, messageOf } from '../../src/errors.js';
import { guestOfStats, uuidOfPath } from '../../src/libvirt/domain.js';
import { allowMerging, differences, forbidMerging, forbidsMerging } from '../../src/libvirt/domainXml.js';
import { traitsOfDefinition } from '../../src/libvirt/memoryBacking.js';
import { HoldFile } from '../../src/state/hold.js';
import { encodeLine } from '../../src/state/history/lines.js';
import { Ledger } from '../../src/state/ledger.js';
import { record } from '../support/examples/historyArbitraries.js';
import { parsed } from '../support/examples/historyEntries.js';
import { shellText } from '../support/examples/shellText.js';
import { damages } from '../support/damage.js';
import { faultRuns } from '../support/faultRuns.js';

/** No case takes so much CPU time on a machine that is not much slower than ours: what takes more grows faster than its input. */
const SLOW_MICROS = 2e6;

/** Does it, and gives the time limit its say. */
function inTime<T>(work: () => T): T {
  const begin = process.cpuUsage();
  try {
    return work();
  } finally {
    const { user } = process.cpuUsage(begin);
    assert.ok(user < SLOW_MICROS, `it took ${user} µs`);
  }
}

/** What `work` throws, which must say what is wrong in the input and not be a fault of the program. */
function complaintOf(work: () => unknown): unknown {
  try {
    work();
    return undefined;
  } catch (error) {
    assert.ok(error instanceof Error, String(error));
    for (const fault of [TypeError, RangeError, ReferenceError, assert.AssertionError]) {
      assert.ok(!(error instanceof fault), error.stack);
    }
    return error;
  }
}

const scratch = mkdtempSync(join(tmpdir(), 'samepaged-parsers-'));
process.on('exit', () => {
  rmSync(scratch, { recursive: true, force: true });
});

describe('a configuration file with anything in it', () => {
  const file = join(scratch, 'ksmtuned.conf');
  const value = fc.oneof(
    fc.constantFrom('0', '-1', '1e400', '99999999999999999999', 'NaN', '0x10', 'auto', '', '1.5', '/dev/zero', 'a,b,,'),
    fc.string({ unit: 'binary', maxLength: 20 }),
  );
  const assignment = fc.tuple(fc.constantFrom(...Object.keys(KEYS)), value).map(([key, text]) => `${key}=${text}\n`);
  const lines = fc.array(fc.oneof(assignment, shellText), { maxLength: 6 }).map((parts) => parts.join(''));

  test('a configuration file with anything in it is taken, or refused with lines that name the file', () => {
    fc.assert(
      fc.property(fc.oneof(lines, shellText), (text) => {
        writeFileSync(file, text);
        const error = complaintOf(() => inTime(() => formatConfig(loadConfig(file))));
        if (error === undefined) return;
        assert.ok(error instanceof ConfigError);
        for (const line of error.message.split('\n')) {
          assert.ok(line.startsWith(`${file}:`) || /^and \d+ more$/.test(line), line);
        }
      }),
      faultRuns(200_000),
    );
  });
});

describe('a history file that is damaged', () => {
  const hurt = damages(['\n', '\0', '["s",', '"', '00000000 ', 'ffffffff ["g",1,"started","x"]\n', '\u{1F600}', ']\n']);

  test('a damaged history file gives the records that are whole, each as it was written, and none besides', () => {
    fc.assert(
      fc.property(fc.array(record, { maxLength: 12 }), hurt, (records, damage) => {
        const texts = records.map((each: HistoryRecord) => encodeLine(each).text);
        const { entries } = inTime(() => parsed(damage(Buffer.from(texts.join('')))));
        const written = new Set(texts);
        // The one that is put in by hand has no right sum.
        for (const { text } of entries) assert.ok(written.has(text), text);
      }),
      faultRuns(50_000),
    );
  });
});

const DOMAIN = `<?xml version='1.0'?>
<domain type='kvm' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>
  <name>web</name>
  <memory unit='KiB'>4194304</memory>
  <memoryBacking>
    <hugepages><page size='2048' unit='KiB' nodeset='0'/></hugepages>
    <nosharepages/>
    <source type='memfd'/>
  </memoryBacking>
  <cpu><numa><cell id='0' cpus='0' memory='4194304' memAccess='shared'/></numa></cpu>
  <devices><disk type='file'><source file='/a &amp; b'/></disk><hostdev mode='subsystem' type='pci'/></devices>
  <qemu:commandline><qemu:arg value='-x'/></qemu:commandline>
</domain>
`;

describe('domain XML that is hostile', () => {
  const entities = `<!DOCTYPE d [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;"><!ENTITY c SYSTEM "file:///etc/shadow">]>`;
  const hurt = damages([
    ...['<memoryBacking>', '</memoryBacking>', '<nosharepages/>', '<![CDATA[', ']]>', '<!--', '-->', '<?', '?>', '&b;'],
    ...[
      entities,
      '&c;',
      '&#0;',
      '&#x110000;',
      " xmlns:qemu=''",
      ' a="1" a="2"',
      '<domain>',
      '</domain>',
      '\0',
      '\uFEFF',
    ],
    ...['<constructor __proto__="1"/>', '<a:b/>', '<x>'.repeat(50), '</x>'.repeat(50), '<', '>', "'"],
  ]);

  test('hostile domain XML is read, or refused with one sentence', () => {
    fc.assert(
      fc.property(hurt, (damage) => {
        const xml = damage(Buffer.from(DOMAIN)).toString('utf8');
        for (const work of [
          () => forbidsMerging(xml),
          () => forbidsMerging(allowMerging(xml)),
          () => forbidsMerging(forbidMerging(xml)),
          () => differences(DOMAIN, xml),
          () => traitsOfDefinition(xml),
        ]) {
          const error = complaintOf(() => inTime<unknown>(work));
          if (error !== undefined) assert.match(messageOf(error), /\S/);
        }
      }),
      faultRuns(30_000),
    );
  });

  test('domain XML of any size is read in time that grows with it; deeper than libvirt takes it is refused', () => {
    for (const count of [1000, 20_000]) {
      const deep = `<domain>${'<a>'.repeat(count)}${'</a>'.repeat(count)}</domain>`;
      const wide = `<domain>${'<a b="c"/>'.repeat(count)}</domain>`;
      const attributes = `<domain ${Array.from({ length: count }, (_, index) => `a${String(index)}=''`).join(' ')}/>`;
      for (const xml of [deep, wide, attributes]) {
        for (const work of [() => forbidMerging(xml), () => differences(xml, xml), () => traitsOfDefinition(xml)]) {
          const error = complaintOf(() => inTime<unknown>(work));
          if (xml === deep) assert.match(messageOf(error), /^1:\d+: elements are nested more than 256 deep$/);
          else assert.equal(error, undefined);
        }
      }
    }
  });
});

describe('what another process says on the bus', () => {
  const leaf = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 8 }),
    fc.constantFrom('__proto__', 'constructor', 'balloon.rss', 'Policy', 'GuestCount', '\u202e', '\x1b[2J', '\r\n'),
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n }),
    fc.double(),
    fc.boolean(),
    fc.constantFrom(undefined, null),
  );
  const names = fc.constantFrom(
    ...Object.keys(Properties.entries).map((name) => name.charAt(0).toUpperCase() + name.slice(1)),
    ...['balloon.rss', 'balloon.current', 'balloon.maximum', 'Triggers', 'Changes', '__proto__', 'constructor', ''],
  );
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      leaf,
      tie('value').map((inner) => new Variant('v', inner)),
      fc.array(tie('value'), { maxLength: 4 }),
      fc.dictionary(fc.oneof(names, fc.string({ maxLength: 6 })), tie('value'), { maxKeys: 12 }),
    ),
  }));
  const SCHEMAS = [Properties, Retune, Explanation, Guests, Configuration, Reloaded];

  test('what another process says on the bus is taken as what it should be, or is not', () => {
    fc.assert(
      fc.property(value, (said) => {
        inTime(() => {
          for (const schema of SCHEMAS) v.safeParse(schema, plain(said));
          const { residentBytes, configuredBytes } = guestOfStats('id', 'web', Object(said) as Record<string, unknown>);
          assert.ok(typeof (residentBytes ?? 0) === 'number' && typeof configuredBytes === 'number');
          if (typeof said === 'string') uuidOfPath(said);
        });
      }),
      faultRuns(30_000),
    );
  });
});

describe('state files that are damaged', () => {
  const words = [
    '"run"',
    '"__proto__"',
    '1e999',
    '-1',
    'null',
    '{',
    '}',
    '[',
    ']',
    '"',
    ',',
    'scan-time',
    '\0',
    '2',
    '/etc',
  ];
  const hurt = damages(words);
  const found = { run: 0, pagesToScan: 100, sleepMillisecs: 20, advisorMode: 'none', ksmdSched: 'other 5' };
  const ledger = { version: 1, bootId: '', pid: 1, left: false, found, changed: Object.keys(found) };
  const policy = { name: 'adaptive', insteadOf: 'ksmtuned', bootId: 'aaaa' };
  const hold = { kind: 'paused', untilMillis: 1e12, leftMillis: 1e6, policy };

  test('a damaged ledger gives settings that the kernel can have had, or is refused', () => {
    const file = join(scratch, 'ledger.json');
    const text = Buffer.from(JSON.stringify(ledger, undefined, 2));
    fc.assert(
      fc.property(hurt, (damage) => {
        writeFileSync(file, damage(text));
        let restored: KsmSettings = {};
        const error = complaintOf(() => (restored = inTime(() => new Ledger(scratch, scratch, {}).toRestore())));
        assert.ok(error === undefined || error instanceof FatalError);
        for (const [name, value] of Object.entries(restored)) {
          const isNumber = Number.isSafeInteger(value) && Number(value) >= 0;
          assert.ok(name === 'ksmdSched' || name === 'advisorMode' || (name in KSM_SETTINGS && isNumber), name);
        }
      }),
      faultRuns(20_000),
    );
  });

  test('a damaged hold.json gives a hold that there is, or is refused', () => {
    const file = new HoldFile(scratch);
    const text = Buffer.from(JSON.stringify(hold));
    fc.assert(
      fc.property(hurt, (damage) => {
        writeFileSync(file.path, damage(text));
        const now = 1e12;
        complaintOf(() => {
          const said = inTime(() => file.read(now));
          if (said.hold !== undefined) assert.match(said.hold.kind, /^(paused|stopped|unmerged)$/);
          assert.ok((said.hold?.untilMillis ?? 0) >= 0);
        });
      }),
      faultRuns(20_000),
    );
  });
});
