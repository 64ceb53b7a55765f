import { plural } from '../core/format.js';
import type { HistoryDecision } from '../core/history.js';
import { clockTime, shortDate } from '../text/clock.js';

/** What is said of one decision, or of many. */
export interface DecisionLine {
  readonly atMillis: number;
  readonly text: string;
}

/** More different decisions in turn are a story worth reading. */
const MOST_KINDS = 3;
/** Fewer repetitions are shown as they are. */
const LEAST_FOLDED = 8;

/** The decisions in order; where up to three kinds follow one another again and again, one line stands for the repetitions. */
export function foldRepeated(decisions: readonly HistoryDecision[]): readonly DecisionLine[] {
  const lines: DecisionLine[] = [];
  for (let from = 0; from < decisions.length;) {
    const rest = decisions.slice(from);
    const stretch = repeatedAtStart(rest);
    const shown = rest.slice(0, stretch?.kinds ?? 1);
    lines.push(...shown.map(({ atMillis, sentence }) => ({ atMillis, text: sentence })));
    if (stretch !== undefined) lines.push(foldedLine(rest.slice(stretch.kinds, stretch.length), stretch.kinds));
    from += stretch?.length ?? 1;
  }
  return lines;
}

/** How many decisions from the first on are of the kinds that come first; undefined where that is not worth folding. */
function repeatedAtStart(decisions: readonly HistoryDecision[]): { kinds: number; length: number } | undefined {
  const [first] = decisions;
  if (first === undefined) return undefined;
  for (let kinds = 1; kinds <= MOST_KINDS; kinds += 1) {
    const among = new Set(decisions.slice(0, kinds).map(kindOf));
    if (among.size < kinds) return undefined;
    const end = decisions.findIndex((decision) => !among.has(kindOf(decision)));
    const length = end < 0 ? decisions.length : end;
    const returns = decisions.slice(kinds, length).some((decision) => kindOf(decision) === kindOf(first));
    if (returns && length - kinds >= LEAST_FOLDED) return { kinds, length };
  }
  return undefined;
}

function kindOf({ policy, reason }: HistoryDecision): string {
  return `${policy} ${reason}`;
}

function foldedLine(folded: readonly HistoryDecision[], kinds: number): DecisionLine {
  const [first, last] = [folded[0], folded.at(-1)];
  const atMillis = first?.atMillis ?? 0;
  const until = last?.atMillis ?? atMillis;
  const which = kinds === 1 ? 'this decision' : `these ${kinds} decisions in turn`;
  return {
    atMillis,
    text: `${which}, ${plural(folded.length, 'time')} more until ${shortDate(until)} ${clockTime(until, true)}`,
  };
}
