import type { GuestContent } from '../step.js';
import type { Contents, PageContent } from './pages.js';

/** A part of a guest's memory, in pages. */
export interface Area {
  readonly from: number;
  readonly to: number;
  readonly content: PageContent;
}

/** What a guest's operating system takes, in MiB. */
export interface SystemMiB {
  /** Alike in all guests of an image. */
  readonly commonMiB: number;
  readonly ownMiB: number;
}

const SYSTEM = 'system';
const COMMON = 'common';
/** The family of the pages that become alike later. */
export const ALIGNED = 'aligned';

/**
 * What is where in a guest's memory: its system, then common, empty and own pages.
 *
 * @param huge empty pages are in huge pages whose splitting frees them.
 */
export function areasOf(
  { commonMiB, zeroMiB = 0, ownMiB, image = '' }: GuestContent,
  system: SystemMiB,
  contents: Contents,
  pagesPerMiB: number,
  huge: boolean,
): readonly Area[] {
  const common = (kind: string, mebibytes: number) => {
    const family = contents.family(`${kind} ${image}`, mebibytes * pagesPerMiB);
    return { mebibytes, content: (from: number): PageContent => ({ kind: 'family', family, shift: -from }) };
  };
  const parts: readonly { mebibytes: number; content: (from: number) => PageContent }[] = [
    common(SYSTEM, system.commonMiB),
    { mebibytes: system.ownMiB, content: () => ({ kind: 'own', rewritten: false }) },
    common(COMMON, commonMiB),
    { mebibytes: zeroMiB, content: () => ({ kind: 'zero', family: contents.zero, huge }) },
    { mebibytes: ownMiB, content: () => ({ kind: 'own', rewritten: true }) },
  ];
  let from = 0;
  return parts.map(({ mebibytes, content }) => {
    const area = { from, to: from + mebibytes * pagesPerMiB, content: content(from) };
    from = area.to;
    return area;
  });
}
