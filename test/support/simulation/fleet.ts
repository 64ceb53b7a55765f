import type { HostOptions } from '../../../src/simulation/hostOptions.js';
import type { Scenario } from '../../../src/simulation/step.js';

/** A large host full of guests. */
export interface Fleet {
  readonly name: string;
  readonly guests: number;
  readonly host: HostOptions;
}

const OWN_MIB = 8192;
const OVERHEAD_MIB = 128;

function fleet(tebibytes: number, guests: number): Fleet {
  const host = { memoryMiB: tebibytes * 1024 ** 2, ownMiB: OWN_MIB, overheadMiB: OVERHEAD_MIB };
  return { name: `${tebibytes} TiB, ${guests} guests`, guests, host };
}

/** Hosts that nobody has on a desk. */
export const FLEETS: readonly Fleet[] = [fleet(0.5, 160), fleet(2, 600), fleet(6, 2000)];

/** Memory that is not free when all guests are there: less than the reserve is. */
const USED_SHARE = 0.9;
const COMMON_SHARE = 0.3;
const ZERO_SHARE = 0.05;
const IMAGES = 4;
/** Every so many guests is a busy one, which writes all its own pages anew in ten minutes. */
const BUSY_EVERY = 4;
const REWRITE_SECONDS = 600;

/** The kernel's max_page_sharing: so many users share a page before there is a second one. */
const USERS_OF_A_PAGE = 256;

/** All guests of a fleet, of four images, when ksmd has not looked at any. Common pages can be merged, and empty ones freed. */
export function fleetScenario({ name, guests, host: { memoryMiB } }: Fleet): Scenario {
  const eachMiB = Math.floor((memoryMiB * USED_SHARE - OWN_MIB) / guests) - OVERHEAD_MIB;
  const [commonMiB, zeroMiB] = [Math.floor(eachMiB * COMMON_SHARE), Math.floor(eachMiB * ZERO_SHARE)];
  const ownMiB = eachMiB - commonMiB - zeroMiB;
  return {
    name,
    summary: `${guests} guests of ${IMAGES} images`,
    memory: 'short',
    before: Array.from({ length: guests }, (_, index) => ({
      kind: 'start',
      guest: `guest${String(index + 1).padStart(4, '0')}`,
      content: {
        image: `image${index % IMAGES}`,
        commonMiB,
        zeroMiB,
        ownMiB,
        rewrittenMiBPerSecond: Math.trunc(index / IMAGES) % BUSY_EVERY === 0 ? ownMiB / REWRITE_SECONDS : 0,
      },
    })),
    converged: false,
    then: [],
    gainMiB: IMAGES * commonMiB * gainOf(guests / IMAGES) + guests * zeroMiB,
  };
}

/** Pages saved when so many are alike. */
function gainOf(alike: number): number {
  return alike - Math.ceil(alike / USERS_OF_A_PAGE);
}
