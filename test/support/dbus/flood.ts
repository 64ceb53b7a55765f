import { RawBus } from './rawBus.js';

// node flood.js ADDRESS CONNECTIONS CALLS: asks samepaged for all of its history so often from each of so many connections, reads no
// answer, and says that it has asked.
const [, , address = '', connections = '', calls = ''] = process.argv;
const since = Buffer.alloc(8);
for (let connection = 0; connection < Number(connections); connection += 1) {
  const bus = await RawBus.connect(address);
  bus.stopReading();
  for (let call = 0; call < Number(calls); call += 1) bus.send({ member: 'GetHistory', signature: 't', body: since });
}
process.stdout.write('asked\n');
setInterval(() => undefined, 60_000);
