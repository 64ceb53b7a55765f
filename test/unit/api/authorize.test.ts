import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { DBusError, MessageFlag, type Variant } from 'dbus-next';
import { Subject, filter, map } from 'rxjs';
import { Authority } from '../../../src/api/authorize.js';
import { Unanswered } from '../../../src/dbus/bus.js';
import { CallTimeout, type MethodCall, messageOfCall } from '../../../src/dbus/call.js';

const STRANGER = (process.getuid?.() ?? 0) + 4711;

/** A bus on which a caller is `uid`, and polkit says or throws this. */
function fakeBus(
  uid: number | Error | ((sender: unknown) => unknown),
  polkit: () => unknown = () => [true, false, {}],
) {
  const calls: MethodCall[] = [];
  const left = new Subject<string>();
  const call = async (request: MethodCall): Promise<unknown[]> => {
    calls.push(request);
    if (request.member === 'CheckAuthorization') return [await polkit()];
    if (request.member !== 'GetConnectionUnixUser') return [];
    if (uid instanceof Error) throw uid;
    return [typeof uid === 'number' ? uid : await uid(request.body?.[0])];
  };
  const owner$ = (name: string) =>
    left.pipe(
      filter((other) => other === name),
      map(() => ''),
    );
  return { calls, call, owner$, left, asked: (member: string) => calls.filter((request) => request.member === member) };
}

function incoming(member: string, { interactive = false, iface = 'org.samepaged1.Manager', sender = ':1.7' } = {}) {
  const target = { destination: 'org.samepaged1', path: '/org/samepaged1' };
  const message = messageOfCall({ ...target, interface: iface, member, interactive });
  message.sender = sender;
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
  it('Authority asks for the user of a caller once, and for nothing else where a call reads', async () => {
    const bus = fakeBus(STRANGER);
    const authority = new Authority(bus);
    for (let count = 0; count < 3; count += 1) await authority.authorize(incoming('Explain'));
    assert.deepEqual(
      bus.calls.map(({ member }) => member),
      ['GetConnectionUnixUser'],
    );
  });

  it('Authority refuses a user too many calls, and is silent once too much was sent to it; root is served meanwhile', async (test) => {
    // No time passes, in which calls would come back.
    test.mock.method(performance, 'now', () => 1000);
    const bus = fakeBus((sender) => (sender === ':1.0' ? 0 : STRANGER));
    const authority = new Authority(bus);
    const call = (sender: string) => authority.authorize(incoming('Explain', { sender }));
    for (let count = 0; count < 500; count += 1) await call(`:1.${String(1 + (count % 5))}`);
    await assert.rejects(
      call(':1.6'),
      refusedWith('too many calls of yours: try again in a minute', 'org.freedesktop.DBus.Error.LimitsExceeded'),
    );
    for (let count = 0; count < 300; count += 1) authority.answered(':1.1', 64 * 1024);
    await setImmediate();
    await assert.rejects(call(':1.6'), (error: unknown) => error instanceof Unanswered);
    for (let count = 0; count < 1000; count += 1) await call(':1.0');
  });

  it('Authority does not let a call read whose answer nobody waits for', async () => {
    const call = incoming('GetHistory');
    call.flags = MessageFlag.NO_REPLY_EXPECTED;
    await assert.rejects(
      new Authority(fakeBus(0)).authorize(call),
      refusedWith(
        'org.samepaged1.Manager.GetHistory only answers: a call without a reply does nothing',
        'org.freedesktop.DBus.Error.NotSupported',
      ),
    );
  });

  for (const uid of new Set([0, process.getuid?.() ?? 0])) {
    it(`Authority does not ask polkit about uid ${String(uid)}`, async () => {
      const bus = fakeBus(uid, () => [false, false, {}]);
      await new Authority(bus).authorize(incoming('Unmerge'));
      assert.deepEqual(bus.asked('CheckAuthorization'), []);
    });
  }

  it('Authority asks polkit about the caller’s unique name, without a dialog unless the call allows one', async () => {
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

  it('every polkit check has its own cancellation id, and one that takes too long is cancelled', async () => {
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

  it('an error of polkit’s is a refusal that names it, and cancels nothing', async () => {
    const error = new DBusError('org.freedesktop.PolicyKit1.Error.Failed', 'Action is not registered');
    const bus = fakeBus(STRANGER, () => Promise.reject(error));
    const text = 'org.samepaged1.configure is for root only here (polkit: Action is not registered)';
    await assert.rejects(new Authority(bus).authorize(incoming('Reload')), refusedWith(text));
    assert.deepEqual(bus.asked('CancelCheckAuthorization'), []);
  });

  it('a caller that is gone, or of whom the bus does not tell, is refused', async () => {
    const gone = new DBusError('org.freedesktop.DBus.Error.NameHasNoOwner', 'no such name');
    const bus = fakeBus(gone);
    await assert.rejects(
      new Authority(bus).authorize(incoming('Retune')),
      refusedWith('no such name', 'org.freedesktop.DBus.Error.NameHasNoOwner'),
    );
    assert.deepEqual(bus.asked('CheckAuthorization'), []);
  });

  describe('calls that wait', () => {
    const NO_PLACE = 'org.freedesktop.DBus.Error.LimitsExceeded';
    /** What polkit, or the bus, answers to all at once, later. */
    const later = () => {
      let resolve: (answer: unknown) => void = () => undefined;
      const promise = new Promise<unknown>((settle) => {
        resolve = settle;
      });
      return { promise, resolve };
    };

    it('four calls of a user may wait for polkit: the next is refused, those of others are not, until there is room', async () => {
      const { promise, resolve } = later();
      const bus = fakeBus(
        (sender) => (sender === ':1.8' ? STRANGER + 1 : STRANGER),
        () => promise,
      );
      const authority = new Authority(bus);
      const waiting = Array.from({ length: 4 }, () => authority.authorize(incoming('Retune', { interactive: true })));
      const refused = refusedWith('4 of your calls already wait for polkit: try again', NO_PLACE);
      await assert.rejects(authority.authorize(incoming('Retune', { sender: ':1.9' })), refused);
      waiting.push(authority.authorize(incoming('Retune', { sender: ':1.8' })));
      resolve([true, false, {}]);
      await Promise.all(waiting);
      await authority.authorize(incoming('Retune'));
    });

    it('thirty-two calls in all may wait for polkit', async () => {
      const { promise, resolve } = later();
      const bus = fakeBus(
        (sender) => STRANGER + Number(String(sender).slice(3)),
        () => promise,
      );
      const authority = new Authority(bus);
      const calls = Array.from({ length: 33 }, (_, user) => incoming('Retune', { sender: `:1.${user}` }));
      const last = calls.pop() ?? assert.fail();
      const waiting = calls.map((call) => authority.authorize(call));
      await assert.rejects(
        authority.authorize(last),
        refusedWith('32 calls already wait for polkit: try again', NO_PLACE),
      );
      resolve([true, false, {}]);
      await Promise.all(waiting);
    });

    it('calls may wait for the bus to name their caller: 128 of a caller, 256 in all, and four for each', async () => {
      const { promise, resolve } = later();
      const authority = new Authority(fakeBus(() => promise));
      const from = (sender: string) => authority.authorize(incoming('Retune', { sender }));
      const waiting = [':1.7', ':1.8'].flatMap((sender) => Array.from({ length: 128 }, () => from(sender)));
      await assert.rejects(from(':1.7'), refusedWith('128 of your calls already wait for polkit: try again', NO_PLACE));
      waiting.push(...Array.from({ length: 4 }, () => from(':1.9')));
      await assert.rejects(from(':1.9'), refusedWith('256 calls already wait for polkit: try again', NO_PLACE));
      resolve(0);
      await Promise.all(waiting);
    });

    it('a caller that the bus has named takes no place of those who wait: 200 of its calls are served at once', async () => {
      const { promise, resolve } = later();
      const bus = fakeBus((sender) => (sender === ':1.1' ? 0 : promise));
      const authority = new Authority(bus);
      const from = (sender: string) => authority.authorize(incoming('Retune', { sender }));
      await from(':1.1');
      const waiting = [':1.7', ':1.8'].flatMap((sender) => Array.from({ length: 128 }, () => from(sender)));
      await Promise.all(Array.from({ length: 200 }, () => from(':1.1')));
      assert.equal(bus.asked('GetConnectionUnixUser').length, 3, 'one question for each caller');
      resolve(0);
      await Promise.all(waiting);
    });

    it('a question to the bus for the user of a caller that failed is asked again at the next call', async () => {
      let answers = 0;
      const bus = fakeBus(() => ((answers += 1) === 1 ? Promise.reject(new Error('late')) : 0));
      const authority = new Authority(bus);
      const first = [authority.authorize(incoming('Retune')), authority.authorize(incoming('Retune'))];
      for (const call of first) await assert.rejects(call, /late/);
      await authority.authorize(incoming('Retune'));
      assert.equal(bus.asked('GetConnectionUnixUser').length, 2);
    });
  });

  it('a caller that goes while polkit asks is refused: the question is taken back, and its place is free', async () => {
    const bus = fakeBus(STRANGER, () => new Promise(() => undefined));
    const authority = new Authority(bus);
    for (let round = 1; round <= 5; round += 1) {
      const call = authority.authorize(incoming('Retune', { interactive: true }));
      const refused = assert.rejects(call, refusedWith('the caller has disconnected'));
      await setImmediate();
      bus.left.next(':1.8');
      assert.equal(bus.asked('CancelCheckAuthorization').length, round - 1);
      bus.left.next(':1.7');
      await refused;
    }
    const [asked, cancelled] = ['CheckAuthorization', 'CancelCheckAuthorization'].map((member) => bus.asked(member));
    assert.deepEqual(
      cancelled?.map(({ body }) => body?.[0]),
      asked?.map(({ body }) => body?.[4]),
    );
    assert.ok(!bus.left.observed);
  });

  it('a call of a member that no rule names is answered as one that is not there', async () => {
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
