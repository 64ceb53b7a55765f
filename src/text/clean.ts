/** What could move the cursor, turn the direction of writing, break the line, or is nothing at all. */
const UNPRINTABLE = String.raw`[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}]`;
/** Line ends, tabs, and what begins and ends the styles of terminal.ts: bold, dim and a colour each on its own. */
const OURS = String.raw`\n|\t|\u001b\[(?:1|2|22|3\d)m`;

const EACH = new RegExp(UNPRINTABLE, 'gu');
const OURS_OR_EACH = new RegExp(`(${OURS})|${UNPRINTABLE}`, 'gu');

/** One line, of words that come from elsewhere: names, answers, what is in files. */
export function clean(text: string): string {
  return text.replaceAll(EACH, '?');
}

/** All that a program writes for a person goes through here last. Of colours alone strangers' words can bring their own. */
export function cleanOutput(text: string): string {
  return text.replaceAll(OURS_OR_EACH, (_all, ours: string | undefined) => ours ?? '?');
}

/** JSON that says the same and can be shown on a terminal. */
export function cleanJson(json: string): string {
  return json.replaceAll(OURS_OR_EACH, (all, ours: string | undefined) => ours ?? escaped(all));
}

function escaped(text: string): string {
  return Array.from({ length: text.length }, (_, at) => {
    return `\\u${text.charCodeAt(at).toString(16).padStart(4, '0')}`;
  }).join('');
}
