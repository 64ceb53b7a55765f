import type { Cockpit } from './cockpit.js';

/** Absent outside Cockpit, as in a unit test. */
const cockpit = (globalThis as { cockpit?: Pick<Cockpit, 'gettext' | 'ngettext' | 'language'> }).cockpit;

/** The text in the user's language; po/ has the translations, by the text itself. */
export function _(text: string): string {
  return cockpit?.gettext(text) ?? text;
}

/** The text for so many; `$0` in it becomes the number. */
export function counted(count: number, one: string, many: string): string {
  const text = cockpit?.ngettext(one, many, count) ?? (count === 1 ? one : many);
  return filled(text, new Intl.NumberFormat(LOCALE).format(count));
}

/** `$0`, `$1` ... become the values. */
export function filled(text: string, ...values: readonly string[]): string {
  return text.replaceAll(/\$(\d)/g, (all, at: string) => values[Number(at)] ?? all);
}

/** A name within a text of another script or direction; the characters around it (FSI, PDI) are not seen. */
export function isolated(name: string): string {
  return `\u2068${name}\u2069`;
}

/** The user's locale, as Intl takes it. */
export const LOCALE = (cockpit?.language ?? 'en').replace('_', '-');
