/** A word for a shell that stands for `text` and for nothing else; quoted only where it must be. */
export function shellWord(text: string): string {
  return /^[\w.,:@/+-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

/** A remedy as part of a sentence: without the # that makes a shell take words for a comment. */
export function inSentence(remedy: string): string {
  return remedy.replace(/^# /, '');
}
