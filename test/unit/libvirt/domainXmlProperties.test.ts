import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { allowMerging, differences, forbidMerging, forbidsMerging } from '../../../src/libvirt/domainXml.js';

/** Whether `text` is `longer` with pieces left out. */
function isPartOf(text: string, longer: string): boolean {
  let at = 0;
  for (const character of longer) if (text.startsWith(character, at)) at += character.length;
  return at === text.length;
}

describe('any definition', () => {
  const text = fc.string({
    unit: fc.constantFrom('a', ' ', '\n', '&amp;', '&lt;', '&#13;', '&#x1F600;', '\u{1F600}', 'é', ']', '\r\n'),
  });
  const attribute = text.map((value) => ` a='${value}'`);
  const leaf = fc.oneof(
    text,
    fc.constantFrom('<!-- <nosharepages/> -->', '<![CDATA[<memoryBacking>]]>', '<?pi <a>?>', '<e/>', '\n  '),
  );
  const { element } = fc.letrec<{ element: string; node: string }>((tie) => ({
    node: fc.oneof({ depthSize: 'small', withCrossShrink: true }, leaf, tie('element')),
    element: fc
      .tuple(
        fc.constantFrom('devices', 'memoryBacking', 'nosharepages', 'q:x', 'locked'),
        fc.option(attribute, { nil: '' }),
        fc.array(tie('node'), { maxLength: 4 }),
      )
      .map(([name, attributes, nodes]) => `<${name}${attributes}>${nodes.join('')}</${name}>`),
  }));
  const backing = fc.constantFrom(
    '',
    '\n  <memoryBacking/>',
    '\n  <memoryBacking>\n    <hugepages/>\n    <source type="memfd"/>\n  </memoryBacking>',
    '<memoryBacking><nosharepages/></memoryBacking>',
    '\n  <memoryBacking>\n    <locked/>\n    <nosharepages/>\n  </memoryBacking>',
  );
  const domain = fc
    .tuple(fc.array(element, { maxLength: 4 }), backing, fc.array(element, { maxLength: 4 }))
    .map(([before, memoryBacking, after]) => {
      const metadata = (nodes: readonly string[]) => `\n  <metadata>${nodes.join('')}</metadata>`;
      return `<domain xmlns:q='urn:q'>${metadata(before)}${memoryBacking}${metadata(after)}\n</domain>\n`;
    });

  test('any definition forbidden and allowed again is an equal document; forbidding twice is forbidding once', () => {
    fc.assert(
      fc.property(domain, (xml) => {
        const forbidden = forbidMerging(xml);
        assert.equal(forbidsMerging(forbidden), true);
        assert.equal(forbidMerging(forbidden), forbidden);
        assert.ok(isPartOf(xml, forbidden) || xml.includes('<memoryBacking/>'));
        assert.deepEqual(differences(xml, forbidden), []);

        const allowed = allowMerging(forbidden);
        assert.equal(forbidsMerging(allowed), false);
        assert.equal(allowMerging(allowed), allowed);
        assert.deepEqual(differences(xml, allowed), []);
      }),
      { numRuns: 500 },
    );
  });
});
