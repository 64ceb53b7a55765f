import { after, before } from 'node:test';

/** In a describe(): its tests see this time zone, whatever the machine's is and whichever tests share the process. */
export function inTimeZone(zone: string): void {
  const own = process.env.TZ;
  before(() => {
    process.env.TZ = zone;
  });
  after(() => {
    if (own === undefined) delete process.env.TZ;
    else process.env.TZ = own;
  });
}
