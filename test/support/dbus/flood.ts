import { RawBus } from './rawBus.js';

// node flood.js ADDRESS CONNECTIONS CALLS: makes so many connections, asks samepaged on each so many times for all of its history,
// reads no answer, and says that it has asked. None of the connections has called before the first one asks.
const [, , address = '', connections = '', calls = ''] = process.argv;
const since = Buffer.alloc(8);
const buses: RawBus[] = [];
while (buses.length < Number(connections)) buses.push(await RawBus.connect(address));
for (const bus of buses) {
  bus.stopReading();
  for (let call = 0; call < Number(calls); call += 1) bus.send({ member: 'GetHistory', signature: 't', body: since });
}
process.stdout.write('asked\n');
setInterval(() => undefined, 60_000);
