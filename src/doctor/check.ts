import type { Fact } from './fact.js';
import type { Facts } from './facts.js';

/** `unknown`: a fact that the check needs could not be had. */
export type Level = 'problem' | 'note' | 'unknown' | 'ok';

export interface Verdict {
  readonly level: Level;
  /** One sentence: what was found, with the numbers. */
  readonly found: string;
  /** Commands that fix it, or a line of a file, one an element, each below 76 columns. */
  readonly remedies?: readonly string[];
}

/** What a check found. `id` and `title` are the check's and stay the same over releases. */
export interface Finding extends Verdict {
  readonly id: string;
  readonly title: string;
  /** Why it matters, in one or two sentences. */
  readonly why: string;
}

export interface Check {
  readonly id: string;
  /** Undefined where there is nothing to check: this host does not have what it is about. */
  readonly examine: (facts: Facts) => Finding | undefined;
}

type Value<Name extends keyof Facts> = Facts[Name] extends Fact<infer T> ? T : never;
type Values<Names extends keyof Facts> = { readonly [Name in Names]: Value<Name> };

interface CheckSpec<Needs extends keyof Facts> {
  readonly id: string;
  /** Two or three words. */
  readonly title: string;
  readonly why: string;
  /** Facts without which it cannot be answered; when one is unknown, so is the answer, for the same reason. */
  readonly needs: readonly Needs[];
  readonly judge: (values: Values<Needs>, facts: Facts) => Verdict;
}

export function check<const Needs extends keyof Facts>({ id, title, why, needs, judge }: CheckSpec<Needs>): Check {
  return {
    id,
    examine(facts) {
      const needed: readonly Fact<unknown>[] = needs.map((name) => facts[name]);
      if (needed.some(({ state }) => state === 'absent')) return undefined;
      const reasons = new Set(needed.flatMap((fact) => (fact.state === 'unknown' ? [fact.reason] : [])));
      if (reasons.size > 0) return { id, title, why, level: 'unknown', found: [...reasons].join('; ') };
      const values = Object.fromEntries(needs.map((name, at) => [name, needed[at] && valueOf(needed[at])]));
      return { id, title, why, ...judge(values as Values<Needs>, facts) };
    },
  };
}

/** The value of a fact, or undefined where there is none. */
export function valueOf<T>(fact: Fact<T>): T | undefined {
  return fact.state === 'known' ? fact.value : undefined;
}

export function ok(found: string): Verdict {
  return { level: 'ok', found };
}

export function note(found: string, ...remedies: readonly string[]): Verdict {
  return { level: 'note', found, ...(remedies.length === 0 ? {} : { remedies }) };
}

export function problem(found: string, ...remedies: readonly string[]): Verdict {
  return { level: 'problem', found, ...(remedies.length === 0 ? {} : { remedies }) };
}

export function unanswered(found: string): Verdict {
  return { level: 'unknown', found };
}
