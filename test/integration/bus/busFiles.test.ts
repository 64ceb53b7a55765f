import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { interface as dbus } from 'dbus-next';
import { type XmlElement, parseXml } from '../../../src/text/xml.js';
import { AgentHost } from '../../support/agentHost.js';
import { callAs } from '../../support/dbus/callAs.js';
import { SystemBus, UID } from '../../support/dbus/systemBus.js';
import { NEEDS_ROOT, type User } from '../../support/dbus/authorizeHost.js';

const DBUS = {
  destination: 'org.freedesktop.DBus',
  path: '/org/freedesktop/DBus',
  interface: 'org.freedesktop.DBus',
};
const REQUEST_NAME = { ...DBUS, member: 'RequestName', signature: 'su', body: ['org.samepaged1', 4] };

class Connect extends dbus.Interface {
  @dbus.method({ outSignature: 's' })
  ListDomains(): string {
    return 'none';
  }
}

function parsed(text: string): XmlElement {
  return parseXml(text.replace(/^(<\?xml[^>]*>)?\s*<!DOCTYPE[^>]*>/, ''));
}

const partsOf = (element: XmlElement, kind: string) =>
  element.children.filter((node) => 'local' in node).filter(({ local }) => local === kind);
const attributeOf = ({ attributes }: XmlElement, name: string) => attributes.get(`{}${name}`) ?? '';

/** A line for each member: what it is, its name and types. Names of arguments and annotations are for people. */
function members(xml: string): string[] {
  const manager = partsOf(parsed(xml), 'interface').find((part) => attributeOf(part, 'name').endsWith('.Manager'));
  assert.ok(manager !== undefined);
  return ['method', 'signal', 'property']
    .flatMap((kind) => partsOf(manager, kind))
    .map((member) => {
      const types = partsOf(member, 'arg').map((arg) => `${attributeOf(arg, 'direction')} ${attributeOf(arg, 'type')}`);
      const own = ['name', 'type', 'access'].map((name) => attributeOf(member, name));
      return [member.local, ...own, ...types].join(' ');
    })
    .sort();
}

describe('the bus policy', { concurrency: true, skip: NEEDS_ROOT }, () => {
  for (const [user, may] of Object.entries({ root: true, samepaged: true, member: false, nobody: false })) {
    it(`the bus policy lets ${user} ${may ? '' : 'not '}own org.samepaged1`, async () => {
      await using bus = await SystemBus.start({ polkit: false });
      const [outcome = ''] = await callAs(UID[user as User], bus.address, [REQUEST_NAME]);
      assert.match(outcome, may ? /^ok$/ : /AccessDenied.*not allowed to own/);
    });
  }

  for (const [user, may] of Object.entries({ samepaged: true, nobody: false })) {
    it(`the bus policy lets ${user} ${may ? '' : 'not '}call libvirt-dbus`, async () => {
      await using bus = await SystemBus.start({ polkit: false });
      const libvirt = await bus.connect();
      libvirt.export('/org/libvirt/QEMU', new Connect('org.libvirt.Connect'));
      await libvirt.requestName('org.libvirt', 0);
      const target = { destination: 'org.libvirt', path: '/org/libvirt/QEMU', interface: 'org.libvirt.Connect' };
      const [outcome = ''] = await callAs(UID[user as User], bus.address, [{ ...target, member: 'ListDomains' }]);
      assert.match(outcome, may ? /^ok$/ : /AccessDenied/);
    });
  }
});

describe('org.samepaged1.Manager.xml', () => {
  const text = readFileSync('deploy/dbus/org.samepaged1.Manager.xml', 'utf8');

  it('org.samepaged1.Manager.xml is what the daemon exports', async () => {
    await using host = await AgentHost.create({ bus: {} });
    await host.started();
    const manager = await host.manager();
    assert.deepEqual(members(text), members(await manager.introspect()));
  });

  it('org.samepaged1.Manager.xml describes the interface and each of its members, and names each argument', () => {
    const [manager = assert.fail()] = partsOf(parsed(text), 'interface');
    const described = [manager, ...['method', 'signal', 'property'].flatMap((kind) => partsOf(manager, kind))];
    assert.ok(described.length > 30);
    for (const part of described) {
      const name = attributeOf(part, 'name');
      const docs = partsOf(part, 'annotation').filter((note) => attributeOf(note, 'name').endsWith('.DocString'));
      assert.match(docs.map((note) => attributeOf(note, 'value')).join(), /^[A-Z/'k].*\.$/s, name);
      for (const arg of partsOf(part, 'arg')) assert.match(attributeOf(arg, 'name'), /^[a-z_]+$/, name);
    }
  });
});
