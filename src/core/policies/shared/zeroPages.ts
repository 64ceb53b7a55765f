import type { KsmState } from '../../ksm.js';
import { formatBytes } from '../../format.js';
import type { Decision } from '../../decision.js';
import { ownMemory, type Policy, type PolicyMemory } from '../../policy.js';
import type { Problem, Sample } from '../../sample.js';
import { type KsmdCounters, ksmdCountersOf, progressBetween } from './progress.js';

/** KSM_USE_ZERO_PAGES: `auto` decides here, `keep` leaves use_zero_pages as the host has it. */
export type ZeroPagesChoice = 'auto' | 'keep' | 0 | 1;

/** What is remembered beside the policy's own memory. */
export interface ZeroPagesMemory {
  readonly policy: 'zero-pages';
  readonly inner: PolicyMemory | undefined;
  /** Where the pass under way began, as far as it was seen; `whole` when it was its beginning. */
  readonly pass: KsmdCounters;
  readonly whole: boolean;
  /** Whether ksmd was seen to be blocked, until another policy or samepaged begins. */
  readonly blocked: boolean;
}

/** pages_unshared is "next to nothing" below this part of what is not shared. */
const NEXT_TO_NOTHING = 0.01;
/** Less memory than this says nothing, bytes. */
const LEAST_BLOCKED_BYTES = 16 * 1024 ** 2;
/** Pages enter the unstable tree in their second scan: at least this part of the pages must have been scanned before the pass. */
const LEAST_KNOWN_SHARE = 0.9;

/**
 * `policy` with a decision on use_zero_pages, which is made while it merges. What the policy itself decides stays as it is.
 *
 * Since Linux 6.12 splitting a huge page frees its zero pages. With use_zero_pages=0 the first zero page of a huge page
 * enters the unstable tree, the next one is found equal, the page is split for it, and the tree's node has lost its page:
 * unstable_tree_search_insert() of mm/ksm.c ends there without inserting, so that pages whose way leads past it stay out
 * of the tree for the whole pass. With use_zero_pages=1 a huge page is done at its first zero page. Before 6.6 pages that were
 * mapped to the zero page are neither counted nor given back by run=2.
 */
export function withZeroPages(policy: Policy, choice: ZeroPagesChoice): Policy {
  return {
    name: policy.name,
    decide(memory, sample, triggers) {
      const before = ownMemory<ZeroPagesMemory>(memory, 'zero-pages');
      const [inner, decided] = policy.decide(before?.inner, sample, triggers);
      const next = nextMemory(before, inner, sample);
      return [next, withSetting(decided, sample, choice, next.blocked)];
    },
  };
}

function nextMemory(
  before: ZeroPagesMemory | undefined,
  inner: PolicyMemory | undefined,
  sample: Sample,
): ZeroPagesMemory {
  const now = ksmdCountersOf(sample);
  const fresh = { policy: 'zero-pages', inner, pass: now, whole: false, blocked: before?.blocked ?? false } as const;
  const sincePass = before && progressBetween(before.pass, now);
  if (before === undefined || sincePass === undefined) return fresh;
  if (sincePass.passes === 0) return { ...before, inner };
  const wereKnown = before.whole && before.pass.pagesSeen >= LEAST_KNOWN_SHARE * now.pagesSeen;
  return {
    ...fresh,
    whole: true,
    blocked: before.blocked || (wereKnown && isBlocked(sample, sincePass.skippedPages)),
  };
}

/**
 * The signature of a blocked unstable tree at the end of a pass: next to no page in it, although many are not shared. Memory
 * that its guests rewrite all the time looks the same, and use_zero_pages=1 does no harm there.
 */
function isBlocked({ ksm, pageSizeBytes }: Sample, skippedPages: number): boolean {
  const { pagesUnshared, pagesVolatile } = ksm;
  // Without a tree there is nothing to block.
  if (mergesOnlyZeros(ksm) || pagesUnshared === undefined || pagesVolatile === undefined) return false;
  // smart_scan counts the pages that it skips as volatile.
  const left = pagesVolatile - skippedPages;
  return left * pageSizeBytes >= LEAST_BLOCKED_BYTES && pagesUnshared < NEXT_TO_NOTHING * (pagesUnshared + left);
}

interface Setting {
  /** undefined leaves use_zero_pages as the host has it. */
  readonly value: 0 | 1 | undefined;
  /** Whether what was set before is given back. */
  readonly released?: boolean;
  /** Why, for `explain`; undefined where there is nothing to say. */
  readonly note?: string;
  readonly problem?: Problem;
}

function withSetting(decision: Decision, sample: Sample, choice: ZeroPagesChoice, blocked: boolean): Decision {
  const { problem, ...found } = settingFor(sample, choice, blocked);
  const {
    value,
    released = choice === 'keep',
    note,
  }: Setting = decision.settings.run === 1 ? found : { value: undefined };
  const { working } = decision;
  return {
    ...decision,
    settings: value === undefined ? decision.settings : { useZeroPages: value, ...decision.settings },
    ...(released ? { released: [...(decision.released ?? []), 'useZeroPages' as const] } : {}),
    ...(problem === undefined ? {} : { problems: [...(decision.problems ?? []), problem] }),
    ...(working === undefined || note === undefined
      ? {}
      : {
          working: {
            ...working,
            notes: [...(working.notes ?? []), note],
            keys: [...working.keys, 'KSM_USE_ZERO_PAGES'],
          },
        }),
  };
}

function settingFor(sample: Sample, choice: ZeroPagesChoice, blocked: boolean): Setting {
  const { ksm } = sample;
  if (ksm.useZeroPages === undefined) return { value: undefined };
  if (mergesOnlyZeros(ksm)) return onlyZeros(choice);
  if (ksm.ksmZeroPages === undefined) return beforeCounted(choice);
  if (choice === 'auto') return automatic(sample, blocked);
  const value = choice === 'keep' ? ksm.useZeroPages : choice;
  return value === 0 && blocked ? { value: undefined, problem: blockedProblem(ksm, choice) } : { value: undefined };
}

/** Then ksmd maps zero pages to the kernel's, and compares no others: use_zero_pages is not looked at. */
function mergesOnlyZeros({ redhatOnlyZeroPages }: KsmState): boolean {
  return redhatOnlyZeroPages === 1;
}

function onlyZeros(choice: ZeroPagesChoice): Setting {
  if (choice !== 'auto') return { value: undefined };
  const note = 'use_zero_pages is left as the host has it: with redhat_only_zero_pages=1 KSM merges zero pages only';
  return { value: undefined, released: true, note };
}

function beforeCounted(choice: ZeroPagesChoice): Setting {
  const why = 'before Linux 6.6 pages that KSM maps to the zero page are neither counted nor given back by unmerging';
  if (choice === 'auto') return { value: 0, note: `use_zero_pages=0: ${why}` };
  if (choice !== 1) return { value: undefined };
  return {
    value: undefined,
    problem: { subject: 'use_zero_pages before 6.6', sentence: `KSM_USE_ZERO_PAGES=1: ${why}` },
  };
}

function automatic({ hugePages, ksm, freedBySplits, pageSizeBytes }: Sample, blocked: boolean): Setting {
  const given = [
    ...((ksm.ksmZeroPages ?? 0) > 0
      ? [`${formatBytes((ksm.ksmZeroPages ?? 0) * pageSizeBytes)} by the zero page`]
      : []),
    ...(freedBySplits !== undefined && freedBySplits.bytes > 0
      ? [`${formatBytes(freedBySplits.bytes)} by splits`]
      : []),
  ];
  const soFar = given.length === 0 ? '' : ` (given back so far: ${given.join(', ')})`;
  if (blocked) {
    return {
      value: 1,
      note: `use_zero_pages=1: zero pages in huge pages kept ksmd from merging anything else${soFar}`,
    };
  }
  if (hugePages?.mayHoldGuests === true && hugePages.splitFreesZeros) {
    return {
      value: 1,
      note: `use_zero_pages=1: guests may be in huge pages, and this kernel frees a huge page's zero pages when it is split; with 0 that would keep ksmd from merging${soFar}`,
    };
  }
  return {
    value: undefined,
    released: true,
    note: `use_zero_pages=${ksm.useZeroPages ?? 0}, as the host has it: there is no reason to change it`,
  };
}

function blockedProblem({ pagesUnshared = 0, pagesVolatile = 0 }: KsmState, choice: ZeroPagesChoice): Problem {
  const seen = `pages_unshared ${pagesUnshared}, pages_volatile ${pagesVolatile}`;
  const sentence = `zero pages in huge pages keep ksmd from merging (${seen}): KSM_USE_ZERO_PAGES=${choice} leaves use_zero_pages at 0; auto or 1 ends that`;
  return { subject: 'use_zero_pages blocks', sentence };
}
