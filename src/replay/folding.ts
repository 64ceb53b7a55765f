import { plural } from '../core/format.js';
import type { HistoryDecision } from '../core/history/record.js';
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
    const stretch = repeatedFrom(decisions, from);
    const shownTo = from + (stretch?.kinds ?? 1);
    const to = stretch?.to ?? shownTo;
    const shown = decisions.slice(from, shownTo);
    lines.push(...shown.map(({ atMillis, sentence }) => ({ atMillis, text: sentence })));
    if (stretch !== undefined) lines.push(foldedLine(decisions.slice(shownTo, to), stretch.kinds));
    from = to;
  }
  return lines;
}

/** To where the decisions are of the kinds that stand at `from`; undefined where that is not worth folding. */
function repeatedFrom(decisions: readonly HistoryDecision[], from: number): { kinds: number; to: number } | undefined {
  const first = decisions[from];
  if (first === undefined) return undefined;
  for (let kinds = 1; kinds <= MOST_KINDS; kinds += 1) {
    const among = new Set(decisions.slice(from, from + kinds).map(kindOf));
    if (among.size < kinds) return undefined;
    let to = from + kinds;
    let returns = false;
    for (let next = decisions[to]; next !== undefined && among.has(kindOf(next)); next = decisions[to]) {
      returns ||= kindOf(next) === kindOf(first);
      to += 1;
    }
    if (returns && to - from - kinds >= LEAST_FOLDED) return { kinds, to };
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
