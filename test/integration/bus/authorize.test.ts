import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { parseXml, type XmlElement } from '../../../src/text/xml.js';
import { NEEDS_ROOT, ServiceHost, type User } from '../../support/dbus/authorizeHost.js';

const MEMBERS = 'root, members of the group libvirt and administrators with their password';
const MANUAL = 'deploy/man/org.samepaged1.5.in';
const ADMINISTRATORS = 'root and administrators with their password';

/** Each method with arguments that would work. */
const CALLS = [
  ['Retune'],
  ['Pause', 't', 60],
  ['Stop'],
  ['Resume'],
  ['Estimate', 't', 60],
  ['Unmerge', 'b', true],
  ['SetPolicy', 's', 'adaptive'],
  ['Reload'],
  ['Explain'],
  ['GetConfiguration'],
  ['GetHistory', 't', 0],
  ['GetMetrics'],
  ['ListGuests', 's', ''],
] as const;

const ACTION: Readonly<Record<string, string>> = {
  Retune: 'org.samepaged1.retune',
  Pause: 'org.samepaged1.pause',
  Stop: 'org.samepaged1.pause',
  Resume: 'org.samepaged1.pause',
  Unmerge: 'org.samepaged1.unmerge',
  Estimate: 'org.samepaged1.estimate',
  SetPolicy: 'org.samepaged1.set-policy',
  Reload: 'org.samepaged1.configure',
};

/** What each method answers `user`. */
async function outcomes(service: ServiceHost, user: User): Promise<Record<string, string>> {
  const all = await service.call(user, ...CALLS);
  return Object.fromEntries(CALLS.map(([member], index) => [member, all[index] ?? '']));
}

function expected(answer: (action: string) => string): Record<string, string> {
  return Object.fromEntries(
    CALLS.map(([member]) => {
      const action = ACTION[member];
      return [member, action === undefined ? 'ok' : answer(action)];
    }),
  );
}

const children = (element: XmlElement) => element.children.filter((node) => 'local' in node);

describe('who may do what', { concurrency: 2, skip: NEEDS_ROOT }, () => {
  describe('with polkit', { concurrency: 1 }, () => {
    let service: ServiceHost;

    before(async () => {
      service = await ServiceHost.start({ polkit: true });
    });

    after(() => service[Symbol.asyncDispose]());

    it('with polkit, nobody reads, and is refused everything else with the action and who may', async () => {
      const before = await (await service.manager()).properties();
      const files = service.host.ksmFiles();
      const answer = (action: string) =>
        `refused: ${action} is for ${/retune|pause/.test(action) ? MEMBERS : ADMINISTRATORS}`;
      assert.deepEqual(await outcomes(service, 'nobody'), expected(answer));
      const configure = `refused: org.samepaged1.configure is for ${ADMINISTRATORS}`;
      assert.equal(await service.setLog('nobody', 'LogLevel', 'debug'), configure);
      assert.equal(await service.setLog('nobody', 'LogTarget', 'console'), configure);
      assert.deepEqual(service.host.ksmFiles(), files);
      assert.deepEqual(await (await service.manager()).properties(), before);
    });

    it('with polkit, a member of libvirt retunes, pauses, stops and resumes, and is refused the rest', async () => {
      const answer = (action: string) =>
        /retune|pause/.test(action) ? 'ok' : `refused: ${action} is for ${ADMINISTRATORS}`;
      assert.deepEqual(await outcomes(service, 'member'), expected(answer));
      assert.equal((await (await service.manager()).properties())['Policy'], 'ksmtuned');
      assert.deepEqual(await service.call('member', ['Pause', 't', 0]), ['ok']);
      assert.equal((await (await service.manager()).properties())['Hold'], 'paused');
    });

    it('with polkit, a site’s rule in a file that sorts before goes before samepaged’s own', async () => {
      const [, rule = ''] = /^\.nf\n(polkit\.addRule.*?)^\.fi$/ms.exec(readFileSync(MANUAL, 'utf8')) ?? [];
      for (const [name, outcome] of Object.entries({
        '40-samepaged.rules': `refused: org.samepaged1.retune is for ${MEMBERS}`,
        '60-samepaged.rules': 'ok',
      })) {
        await using service = await ServiceHost.start({ polkit: true, siteRules: { [name]: rule } });
        assert.deepEqual(await service.call('member', ['Retune']), [outcome], name);
      }
    });

    for (const user of ['root', 'samepaged'] as const) {
      it(`with polkit, ${user} may do everything`, async () => {
        await (await service.manager()).command('SetPolicy', 's', ['default']);
        assert.deepEqual(
          await outcomes(service, user),
          expected(() => 'ok'),
        );
        assert.equal((await (await service.manager()).properties())['Policy'], 'adaptive');
        assert.equal(await service.setLog(user, 'LogLevel', 'debug'), 'ok');
      });
    }
  });

  describe('without polkit', { concurrency: 1 }, () => {
    let service: ServiceHost;

    before(async () => {
      service = await ServiceHost.start({ polkit: false });
    });

    after(() => service[Symbol.asyncDispose]());

    it('the table of this test has every method that there is', async () => {
      const root = parseXml((await (await service.manager()).introspect()).replace(/^<!DOCTYPE[^>]*>/, ''));
      const manager = children(root).find((part) => part.attributes.get('{}name') === 'org.samepaged1.Manager');
      assert.ok(manager !== undefined);
      const methods = children(manager).filter(({ local }) => local === 'method');
      assert.deepEqual(
        methods.map(({ attributes }) => attributes.get('{}name')).sort(),
        CALLS.map(([member]) => member).sort(),
      );
    });

    it('a method that is not in the table of methods cannot be called, not even by root', async () => {
      assert.deepEqual(await service.call('root', ['constructor'], ['announce']), [
        'org.freedesktop.DBus.Error.UnknownMethod: there is no org.samepaged1.Manager.constructor',
        'org.freedesktop.DBus.Error.UnknownMethod: there is no org.samepaged1.Manager.announce',
      ]);
    });

    for (const user of ['nobody', 'member'] as const) {
      it(`without polkit, ${user} reads, and is refused everything else`, async () => {
        const answer = (action: string) => `refused: ${action} is for root only here (polkit does not run)`;
        assert.deepEqual(await outcomes(service, user), expected(answer));
        const properties = { path: '/org/samepaged1', interface: 'org.freedesktop.DBus.Properties' };
        const reading = [
          { ...properties, member: 'Get', signature: 'ss', body: ['org.samepaged1.Manager', 'Run'] },
          { ...properties, member: 'GetAll', signature: 's', body: ['org.samepaged1.Manager'] },
          { path: '/', interface: 'org.freedesktop.DBus.Introspectable', member: 'Introspect' },
          { path: '/', interface: 'org.freedesktop.DBus.Peer', member: 'Ping' },
        ];
        assert.deepEqual(
          await service.ask(user, reading),
          reading.map(() => 'ok'),
        );
      });
    }

    it('without polkit, root may do everything', async () => {
      assert.deepEqual(
        await outcomes(service, 'root'),
        expected(() => 'ok'),
      );
    });
  });
});
