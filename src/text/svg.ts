type Attributes = Readonly<Record<string, string | number>>;

/** An element of SVG. Numbers are rounded to a tenth: nobody sees more, and the file is smaller. */
export function element(name: string, attributes: Attributes, ...children: readonly string[]): string {
  const written = Object.entries(attributes).map(
    ([key, value]) => ` ${key}="${typeof value === 'number' ? coordinate(value) : escaped(value)}"`,
  );
  const open = `<${name}${written.join('')}`;
  return children.length === 0 ? `${open}/>` : `${open}>${children.join('')}</${name}>`;
}

export function escaped(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll(/[^\P{Cc}\n\t]|\p{Cs}|[\ufffe\uffff]/gu, '\ufffd');
}

/** "12.3" */
export function coordinate(value: number): string {
  return String(Number(value.toFixed(1)));
}

/** Some pixels wide, as text of 12 pixels is in the usual fonts. */
export function textWidth(text: string): number {
  return text.length * 6.6;
}
