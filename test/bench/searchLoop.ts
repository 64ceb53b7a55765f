import { GuestProcesses } from '../../src/host/guestProcesses.js';

/** Searches this host's /proc for guests as often as the daemon does where there is no libvirt, until it is ended. */
const processes = new GuestProcesses('');
const MILLIS = 1500;
const list = async () => {
  const guests = await processes.list();
  process.stdout.write(`${guests.length}\n`);
};
await list();
setInterval(() => void list(), MILLIS);
