import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DBusError, type Variant } from 'dbus-next';
import { Authority } from '../../src/bus/authorize.js';
import { CallTimeout, type MethodCall, messageOfCall } from '../../src/bus/call.js';

const STRANGER = (process.getuid?.() ?? 0) + 4711;

/** A bus on which the caller is `uid`, and polkit says or throws this. */
function fakeBus(uid: number | Error, polkit: () => unknown = () => [true, false, {}]) {
  const calls: MethodCall[] = [];
  const call = async (request: MethodCall): Promise<unknown[]> => {
    calls.push(request);
    if (request.member === 'CheckAuthorization') return [await polkit()];
    if (request.member !== 'GetConnectionUnixUser') return [];
    if (uid instanceof Error) throw uid;
    return [uid];
  };
  return { calls, call, asked: (member: string) => calls.filter((request) => request.member === member) };
}

function incoming(member: string, { interactive = false, iface = 'org.samepaged1.Manager' } = {}) {
  const target = { destination: 'org.samepaged1', path: '/org/samepaged1' };
  const message = messageOfCall({ ...target, interface: iface, member, interactive });
  message.sender = ':1.7';
  return message;
}

const refusedWith = (text: string, type = 'org.samepaged1.Error.NotAuthorized') => {
  return (error: unknown) => {
    assert.ok(error instanceof DBusError);
    assert.deepEqual([error.type, error.text], [type, text]);
    return true;
  };
};

describe('Authority', () => {
  it('asks nobody for a call that reads', async () => {
    const bus = fakeBus(STRANGER);
    await new Authority(bus).authorize(incoming('Explain'));
    assert.deepEqual(bus.calls, []);
  });

  for (const uid of new Set([0, process.getuid?.() ?? 0])) {
    it(`does not ask polkit about uid ${String(uid)}`, async () => {
      const bus = fakeBus(uid, () => [false, false, {}]);
      await new Authority(bus).authorize(incoming('Unmerge'));
      assert.deepEqual(bus.asked('CheckAuthorization'), []);
    });
  }

  it('asks polkit about the caller’s unique name, without a dialog unless the call allows one', async () => {
    for (const interactive of [false, true]) {
      const bus = fakeBus(STRANGER);
      await new Authority(bus).authorize(incoming('Stop', { interactive }));
      const [{ destination, signature, body = [], timeoutMillis = 0 } = assert.fail()] =
        bus.asked('CheckAuthorization');
      assert.equal(destination, 'org.freedesktop.PolicyKit1');
      assert.equal(signature, '(sa{sv})sa{ss}us');
      const [[kind, { name }], action, details, flags] = body as [[string, { name: Variant }], string, object, number];
      assert.deepEqual(
        [kind, name.signature, name.value, action, details, flags],
        ['system-bus-name', 's', ':1.7', 'org.samepaged1.pause', {}, interactive ? 1 : 0],
      );
      assert.ok(!interactive || timeoutMillis >= 60_000, 'a password takes its time');
    }
  });

  it('every check has its own cancellation id, and one that takes too long is cancelled', async () => {
    const late = new CallTimeout({ destination: 'polkit', path: '/', interface: 'a.b', member: 'Check' }, 1000);
    const bus = fakeBus(STRANGER, () => Promise.reject(late));
    const authority = new Authority(bus);
    for (let check = 0; check < 2; check += 1) {
      const text = 'org.samepaged1.retune is for root only here (polkit: polkit did not answer Check within 1 s)';
      await assert.rejects(authority.authorize(incoming('Retune')), refusedWith(text));
    }
    const ids = bus.asked('CheckAuthorization').map(({ body }) => body?.[4]);
    assert.equal(new Set(ids).size, 2);
    assert.deepEqual(
      bus.asked('CancelCheckAuthorization').map(({ body }) => body?.[0]),
      ids,
    );
  });

  it('an error of polkit’s is a refusal that tells it, and cancels nothing', async () => {
    const error = new DBusError('org.freedesktop.PolicyKit1.Error.Failed', 'Action is not registered');
    const bus = fakeBus(STRANGER, () => Promise.reject(error));
    const text = 'org.samepaged1.configure is for root only here (polkit: Action is not registered)';
    await assert.rejects(new Authority(bus).authorize(incoming('Reload')), refusedWith(text));
    assert.deepEqual(bus.asked('CancelCheckAuthorization'), []);
  });

  it('a caller that is gone, or of whom the bus does not tell, may not', async () => {
    const gone = new DBusError('org.freedesktop.DBus.Error.NameHasNoOwner', 'no such name');
    const bus = fakeBus(gone);
    await assert.rejects(
      new Authority(bus).authorize(incoming('Retune')),
      refusedWith('no such name', 'org.freedesktop.DBus.Error.NameHasNoOwner'),
    );
    assert.deepEqual(bus.asked('CheckAuthorization'), []);
  });

  it('checks wait for polkit up to a number; the next is refused at once, and later there is room again', async () => {
    let answer: (result: unknown) => void = () => undefined;
    const open = new Promise((resolve) => {
      answer = resolve;
    });
    const bus = fakeBus(STRANGER, () => open);
    const authority = new Authority(bus);
    const waiting = Array.from({ length: 32 }, () => authority.authorize(incoming('Retune', { interactive: true })));
    const text = '32 callers wait for polkit already: try again';
    await assert.rejects(
      authority.authorize(incoming('Retune')),
      refusedWith(text, 'org.freedesktop.DBus.Error.LimitsExceeded'),
    );
    answer([true, false, {}]);
    await Promise.all(waiting);
    await authority.authorize(incoming('Retune'));
  });

  it('a member that no rule names is not there', async () => {
    const bus = fakeBus(0);
    for (const [member, iface] of [
      ['constructor', 'org.samepaged1.Manager'],
      ['Retune', 'org.samepaged1.Other'],
      ['Set', 'org.freedesktop.DBus.Peer'],
    ] as const) {
      const type = 'org.freedesktop.DBus.Error.UnknownMethod';
      const text = `there is no ${iface}.${member}`;
      await assert.rejects(new Authority(bus).authorize(incoming(member, { iface })), refusedWith(text, type));
    }
  });
});
