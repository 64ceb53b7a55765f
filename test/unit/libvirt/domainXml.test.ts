import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { allowMerging, differences, forbidMerging, forbidsMerging } from '../../../src/libvirt/domainXml.js';

const SECRET = 'hunter2 & <more> "quoted"';
const ESCAPED_SECRET = 'hunter2 &amp; &lt;more&gt; &quot;quoted&quot;';

/** What libvirt writes, and what an administrator may have had it keep. */
const TRICKY = `<domain type='kvm' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>
  <name>web &amp; co</name>
  <metadata>
    <app:note xmlns:app="urn:example:app" app:by="me"><!-- <memoryBacking><nosharepages/> --><memoryBacking>mine</memoryBacking>
      <![CDATA[<nosharepages/> & ]]]]><![CDATA[>]]>&#13;&#x1F600;</app:note>
    <other:x xmlns:other="urn:other"><nosharepages xmlns=""/></other:x>
  </metadata>
  <memory unit='KiB'>1048576</memory>
  <currentMemory unit='KiB'>1048576</currentMemory>
  <devices>
    <graphics type='vnc' passwd='${ESCAPED_SECRET}' title="a > b&#10;c"/>
    <memoryBacking><hugepages/></memoryBacking>
  </devices>
  <qemu:commandline>
    <qemu:arg value='-device'/>
  </qemu:commandline>
</domain>
`;

describe('forbidding in a definition', () => {
  const rows: { name: string; xml: string; forbidden: string }[] = [
    {
      name: 'without <memoryBacking>',
      xml: `<domain type='kvm'>\n  <name>a</name>\n</domain>\n`,
      forbidden: `<domain type='kvm'>\n  <memoryBacking>\n    <nosharepages/>\n  </memoryBacking>\n  <name>a</name>\n</domain>\n`,
    },
    {
      name: 'with other children in it',
      xml: `<domain>\n  <memoryBacking>\n    <locked/>\n  </memoryBacking>\n</domain>`,
      forbidden: `<domain>\n  <memoryBacking>\n    <nosharepages/>\n    <locked/>\n  </memoryBacking>\n</domain>`,
    },
    {
      name: 'with an empty <memoryBacking/>',
      xml: `<domain>\n  <memoryBacking/>\n</domain>`,
      forbidden: `<domain>\n  <memoryBacking>\n    <nosharepages/>\n  </memoryBacking>\n</domain>`,
    },
    {
      name: 'with a <memoryBacking > that has nothing in it',
      xml: `<domain>\n  <memoryBacking ></memoryBacking >\n</domain>`,
      forbidden: `<domain>\n  <memoryBacking >\n    <nosharepages/></memoryBacking >\n</domain>`,
    },
    {
      name: 'on one line',
      xml: `<domain><name>a</name></domain>`,
      forbidden: `<domain><memoryBacking><nosharepages/></memoryBacking><name>a</name></domain>`,
    },
    {
      name: 'behind an XML declaration and a comment, indented',
      xml: `<?xml version='1.0'?>\n<!-- <domain> -->\n  <domain>\n    <name>a</name>\n  </domain>`,
      forbidden: `<?xml version='1.0'?>\n<!-- <domain> -->\n  <domain>\n    <memoryBacking>\n      <nosharepages/>\n    </memoryBacking>\n    <name>a</name>\n  </domain>`,
    },
  ];
  for (const { name, xml, forbidden } of rows) {
    test(`merging is forbidden in a definition ${name}`, () => {
      assert.equal(forbidMerging(xml), forbidden);
      assert.equal(forbidsMerging(xml), false);
      assert.equal(forbidsMerging(forbidden), true);
      assert.deepEqual(differences(xml, allowMerging(forbidden)), []);
    });
  }

  test('forbidding merging in a definition changes no character of anything else', () => {
    const forbidden = forbidMerging(TRICKY);
    assert.equal(
      forbidden.length - TRICKY.length,
      '\n  <memoryBacking>\n    <nosharepages/>\n  </memoryBacking>'.length,
    );
    assert.equal(allowMerging(forbidden), TRICKY);
  });

  test('forbidding merging in a definition is not taken in by the same words elsewhere', () => {
    assert.equal(forbidsMerging(TRICKY), false);
    assert.equal(
      forbidsMerging(`<domain><memoryBacking><x:nosharepages xmlns:x='urn:x'/></memoryBacking></domain>`),
      false,
    );
    assert.equal(forbidsMerging(`<domain><nosharepages/></domain>`), false);
    assert.equal(forbidsMerging(`<domain><memoryBacking><!--<nosharepages/>--></memoryBacking></domain>`), false);
  });
});

describe('allowing in a definition', () => {
  const rows: { name: string; xml: string; allowed: string }[] = [
    {
      name: 'takes a <memoryBacking> with nothing else along',
      xml: `<domain>\n  <memoryBacking>\n    <nosharepages/>\n  </memoryBacking>\n  <vcpu/>\n</domain>`,
      allowed: `<domain>\n  <vcpu/>\n</domain>`,
    },
    {
      name: 'keeps the other children',
      xml: `<domain>\n  <memoryBacking>\n    <hugepages/>\n    <nosharepages/>\n    <locked/>\n  </memoryBacking>\n</domain>`,
      allowed: `<domain>\n  <memoryBacking>\n    <hugepages/>\n    <locked/>\n  </memoryBacking>\n</domain>`,
    },
    {
      name: 'keeps a comment and an attribute',
      xml: `<domain><memoryBacking><!-- why --><nosharepages></nosharepages></memoryBacking></domain>`,
      allowed: `<domain><memoryBacking><!-- why --></memoryBacking></domain>`,
    },
    {
      name: 'takes each of several',
      xml: `<domain><memoryBacking><nosharepages/><nosharepages/></memoryBacking><a/><memoryBacking><nosharepages/><locked/></memoryBacking></domain>`,
      allowed: `<domain><a/><memoryBacking><locked/></memoryBacking></domain>`,
    },
    { name: 'changes nothing where nothing forbids', xml: TRICKY, allowed: TRICKY },
  ];
  for (const { name, xml, allowed } of rows) {
    test(`allowing merging in a definition ${name}`, () => {
      assert.equal(allowMerging(xml), allowed);
      assert.equal(forbidsMerging(allowed), false);
    });
  }
});

describe('what is no definition', () => {
  for (const [xml, complaint] of [
    ['', /document must contain a root element|unclosed|no element/i],
    ['<domain>', /unclosed tag/],
    ['<domain><a></b></domain>', /unexpected|unclosed/i],
    ['<network/>', /no <domain> but a <network>/],
    [`<d:domain xmlns:d='urn:d'/>`, /no <domain>/],
  ] as const) {
    test(`${JSON.stringify(xml)} is refused as no definition`, () => {
      for (const edit of [forbidMerging, allowMerging]) assert.throws(() => edit(xml), complaint);
    });
  }
});

describe('differences', () => {
  const rows: { name: string; before: string; after: string; paths: readonly string[] }[] = [
    {
      name: 'prefixes, quotes, the order of attributes and indentation are none',
      before: `<domain a='1' b="2"><q:x xmlns:q='urn:q' q:v='&#65;'/><y/></domain>`,
      after: `<domain b='2' a='1'>\n  <x xmlns='urn:q' xmlns:p='urn:q' p:v='A'></x>\n  <y/>\n</domain>`,
      paths: [],
    },
    {
      name: 'an attribute is told by its path and never by its value',
      before: `<domain><devices><graphics passwd='${ESCAPED_SECRET}'/></devices></domain>`,
      after: `<domain><devices><graphics/></devices></domain>`,
      paths: ['/domain/devices[1]/graphics[1]/@passwd'],
    },
    {
      name: 'text',
      before: `<domain><name>a</name></domain>`,
      after: `<domain><name>b</name></domain>`,
      paths: ['/domain/name[1]/text()[1]'],
    },
    {
      name: 'text that is written otherwise is none',
      before: `<domain><name>a&amp;<![CDATA[<]]></name></domain>`,
      after: `<domain><name>a&#38;&lt;</name></domain>`,
      paths: [],
    },
    {
      name: 'an element that is gone, one that is new, and a comment',
      before: `<domain><a/><b/><!--c--></domain>`,
      after: `<domain><a/><d/></domain>`,
      paths: ['/domain/b[2]', '/domain/comment()[3]'],
    },
    {
      name: 'another child of <memoryBacking>',
      before: `<domain><memoryBacking><locked/></memoryBacking></domain>`,
      after: `<domain><memoryBacking><nosharepages/></memoryBacking></domain>`,
      paths: ['/domain/memoryBacking[1]'],
    },
  ];
  for (const { name, before, after, paths } of rows) {
    test(`the differences of two definitions are found: ${name}`, () => {
      assert.deepEqual(differences(before, after), paths);
      assert.ok(!differences(before, after).some((path) => path.includes(SECRET)));
    });
  }
});
