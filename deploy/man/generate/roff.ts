/** Text as roff for man(7), a sentence a line: it then knows where one ends. */
export function escaped(text: string): string {
  return text
    .replace(/([.?!]) (?=[A-Z"])/g, '$1\n')
    .replaceAll('\\', String.raw`\e`)
    .replaceAll('-', String.raw`\-`)
    .replace(/^[.']/gm, String.raw`\&$&`);
}

/** What is typed or copied as it is, in bold: roff would turn quotes and accents into typographic ones. */
export function literal(text: string): string {
  const marks = { "'": 'aq', '"': 'dq', '`': 'ga', '^': 'ha', '~': 'ti' } as const;
  const copied = escaped(text).replace(/['"`^~]/g, (mark) => `\\(${marks[mark as keyof typeof marks]}`);
  return `\\fB${copied}\\fR`;
}

/** An option as it is typed, with what stands for its value on the same line. */
export function flag(name: string, placeholder: string | undefined): string {
  return `${literal(`--${name}`)}${placeholder === undefined ? '' : `\\ \\fI${placeholder}\\fR`}`;
}

export function sentence(text: string): string {
  return escaped(`${text.charAt(0).toUpperCase()}${text.slice(1)}.`);
}

/** One entry of a list: a tag, and what is said of it. */
export function entry(tag: string, text: string): string {
  return `.TP\n${tag}\n${text}`;
}
