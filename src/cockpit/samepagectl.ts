import * as v from 'valibot';
import { Obstacles } from '../api/replies.js';
import { cockpit } from './host.js';

const Finding = v.object({
  id: v.string(),
  level: v.picklist(['problem', 'note', 'unknown', 'ok']),
  title: v.string(),
  found: v.string(),
  why: v.string(),
  mend: v.nullable(v.string()),
});
export type Finding = v.InferOutput<typeof Finding>;

/** What samepagectl doctor finds, with the rights that there are. It needs no daemon. @throws when it cannot be run. */
export async function findings(): Promise<readonly Finding[]> {
  // It ends with status 1 where there is a problem, which for cockpit.spawn is a failure.
  const script = 'samepagectl doctor --json; [ $? -le 1 ]';
  const options = { superuser: 'try', err: 'message', environ: ['LC_ALL=C.UTF-8'] } as const;
  return v.parse(v.array(Finding), JSON.parse(await cockpit.spawn(['sh', '-c', script], options)));
}

const HISTORY_FILE = '/var/lib/samepaged/history.log';

/**
 * What another policy would have made of this host's recorded history, simulated: samepaged's own report. It takes some
 * seconds of CPU and changes nothing. @throws with samepaged's own sentence.
 */
export async function replayed(policy: string): Promise<string> {
  const words = ['samepaged', '--replay', HISTORY_FILE, '--policy', policy];
  return await cockpit.spawn(words, { superuser: 'try', err: 'message', environ: ['LC_ALL=C.UTF-8'] });
}

const Offers = v.object({
  guests: v.array(
    v.object({
      id: v.string(),
      mergeability: v.optional(v.object({ mergeable: v.boolean(), obstacles: Obstacles })),
      allowedNext: v.optional(v.boolean()),
    }),
  ),
});

/** What only root and libvirt know of a guest. */
export type GuestOffer = Omit<v.InferOutput<typeof Offers>['guests'][number], 'id'>;

/** Of every guest, by identity. Nothing without administrative access, or where samepagectl cannot tell. */
export async function guestOffers(): Promise<ReadonlyMap<string, GuestOffer>> {
  const options = { superuser: 'require', err: 'message', environ: ['LC_ALL=C.UTF-8'] } as const;
  try {
    const { guests } = v.parse(Offers, JSON.parse(await cockpit.spawn(['samepagectl', 'guests', '--json'], options)));
    return new Map(guests.map(({ id, ...offer }) => [id, offer]));
  } catch {
    return new Map();
  }
}

export type Sharing = 'allow' | 'forbid';

export interface MergingChange {
  readonly guest: string;
  readonly word: Sharing;
  /** At once too, where the guest runs. */
  readonly now: boolean;
}

/** Changes whether KSM may merge a guest's memory, which libvirt keeps. @throws with samepagectl's own sentence. */
export async function changeMerging({ guest, word, now }: MergingChange): Promise<string> {
  const words = ['samepagectl', 'guests', word, ...(now ? ['--now'] : []), '--', guest];
  return await cockpit.spawn(words, { superuser: 'require', err: 'message', environ: ['LC_ALL=C.UTF-8'] });
}
