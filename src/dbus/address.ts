import { didYouMean } from '../text/nearest.js';

const WORDS = ['system', 'session'] as const;

/** The first of an address's transports with the first of its keys, as in "unix:path=/run/bus". */
const ADDRESS = /^[\w-]+:\w+=./;

/** What is wrong with the value of --bus, or undefined where a bus could be there. */
export function busAddressProblem(value: string): string | undefined {
  if (WORDS.some((word) => word === value) || ADDRESS.test(value)) return undefined;
  return `--bus takes system, session or a D-Bus address as unix:path=/run/bus, not "${value}"${didYouMean(value, WORDS)}`;
}

/** "system", "session", or an address as in the D-Bus specification ("unix:path=/run/bus"). */
export type BusAddress = string;

/** "system" and "session" as themselves, with the address that stands behind them. */
export function describeAddress(address: BusAddress): string {
  if (address === 'system') return process.env['DBUS_SYSTEM_BUS_ADDRESS'] ?? 'the system bus';
  if (address === 'session') return process.env['DBUS_SESSION_BUS_ADDRESS'] ?? 'the session bus';
  return address;
}
