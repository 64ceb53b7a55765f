import { messageOf } from '../errors.js';

/**
 * Something the check-up may know of a host. `unknown` is what could not be read or asked, and why; `absent` is what this
 * host or kernel does not have, so that there is nothing to check.
 */
export type Fact<T> =
  | { readonly state: 'known'; readonly value: T }
  | { readonly state: 'unknown'; readonly reason: string }
  | { readonly state: 'absent'; readonly reason: string };

export function known<T>(value: T): Fact<T> {
  return { state: 'known', value };
}

export function unknown<T>(reason: string): Fact<T> {
  return { state: 'unknown', reason };
}

export function absent<T>(reason: string): Fact<T> {
  return { state: 'absent', reason };
}

/** What `read` gives; when it throws, its message is the reason why the fact is unknown. */
export async function learn<T>(read: () => T | Promise<T>): Promise<Fact<T>> {
  try {
    return known(await read());
  } catch (error) {
    return unknown(messageOf(error));
  }
}

/** As learn; undefined means that this host does not have it. */
export async function learnIfThere<T>(
  read: () => T | undefined | Promise<T | undefined>,
  absence: string,
): Promise<Fact<T>> {
  const fact = await learn(read);
  if (fact.state !== 'known') return fact;
  return fact.value === undefined ? absent(absence) : known(fact.value);
}

/** A part of what is known. */
export function partOf<T, U>(fact: Fact<T>, part: (value: T) => U): Fact<U> {
  return fact.state === 'known' ? known(part(fact.value)) : fact;
}
