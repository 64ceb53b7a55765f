import { type XmlElement, type XmlNode, childrenNamed, isElement, parseXml } from '../text/xml.js';

const MEMORY_BACKING = 'memoryBacking';
const NO_SHARE_PAGES = 'nosharepages';

/** Whether the definition keeps KSM away from the guest: `<memoryBacking><nosharepages/></memoryBacking>`. */
export function forbidsMerging(xml: string): boolean {
  return backings(domainOf(xml)).some((backing) => childrenNamed(backing, NO_SHARE_PAGES).length > 0);
}

/** The definition with `<nosharepages/>`. Nothing else of the text changes; the same text when it has that already. */
export function forbidMerging(xml: string): string {
  if (forbidsMerging(xml)) return xml;
  const domain = domainOf(xml);
  const [backing] = backings(domain);
  const line = lineStart(xml, domain);
  const element = `${line(2)}<${NO_SHARE_PAGES}/>`;
  if (backing === undefined) {
    const added = `${line(1)}<${MEMORY_BACKING}>${element}${line(1)}</${MEMORY_BACKING}>`;
    return splice(xml, domain.openEnd, domain.openEnd, added);
  }
  if (backing.end > backing.openEnd) return splice(xml, backing.openEnd, backing.openEnd, element);
  const tag = xml.slice(backing.start, backing.end).replace(/\s*\/>$/, '>');
  return splice(xml, backing.start, backing.end, `${tag}${element}${line(1)}</${MEMORY_BACKING}>`);
}

/**
 * The definition without `<nosharepages/>`, and without a `<memoryBacking>` that says nothing more. Nothing else of the text
 * changes; the same text when there is none.
 */
export function allowMerging(xml: string): string {
  if (!forbidsMerging(xml)) return xml;
  // From the last to the first, so that what is still to be removed stays where it is.
  return backings(domainOf(xml))
    .toReversed()
    .reduce((text, backing) => {
      const forbidding = childrenNamed(backing, NO_SHARE_PAGES);
      if (forbidding.length === 0) return text;
      if (saysNothing(withoutForbidding(backing))) return cut(text, backing);
      return forbidding.toReversed().reduce(cut, text);
    }, xml);
}

/**
 * Where two definitions differ as documents, other than in `<nosharepages/>`: paths like /domain/devices/disk[2]/@type,
 * never values, which can be secrets. The order of attributes, prefixes, indentation, and an empty `<memoryBacking>` make no
 * difference.
 */
export function differences(before: string, after: string): readonly string[] {
  return compare(comparable(domainOf(before)), comparable(domainOf(after)), '/domain');
}

function domainOf(xml: string): XmlElement {
  const root = parseXml(xml);
  if (root.uri !== '' || root.local !== 'domain') throw new Error(`it is no <domain> but a <${root.local}>`);
  return root;
}

function backings(domain: XmlElement): readonly XmlElement[] {
  return childrenNamed(domain, MEMORY_BACKING);
}

function withoutForbidding(backing: XmlElement): XmlElement {
  const forbidding = childrenNamed(backing, NO_SHARE_PAGES);
  const children = backing.children.filter((child) => !isElement(child) || !forbidding.includes(child));
  return { ...backing, children };
}

function saysNothing({ attributes, children }: XmlElement): boolean {
  return attributes.size === 0 && children.every((child) => 'kind' in child && child.text.trim() === '');
}

function comparable(domain: XmlElement): XmlElement {
  const children = domain.children
    .map((child) => (isBacking(child) ? withoutForbidding(child) : child))
    .filter((child) => (isElement(child) ? !isBacking(child) || !saysNothing(child) : child.text.trim() !== ''));
  return { ...domain, children };
}

function isBacking(node: XmlNode): node is XmlElement {
  return isElement(node) && node.uri === '' && node.local === MEMORY_BACKING;
}

function compare(a: XmlElement, b: XmlElement, path: string): readonly string[] {
  const names = new Set([...a.attributes.keys(), ...b.attributes.keys()]);
  const attributes = [...names]
    .filter((name) => a.attributes.get(name) !== b.attributes.get(name))
    .map((name) => `${path}/@${name.replace('{}', '')}`);
  const length = Math.max(a.children.length, b.children.length);
  const children = Array.from({ length }, (_unused, at) => {
    const [one, other] = [a.children[at], b.children[at]];
    const step = `${path}/${label(one ?? other)}[${at + 1}]`;
    if (one === undefined || other === undefined || label(one) !== label(other)) return [step];
    if (isElement(one) && isElement(other)) return compare(one, other, step);
    return 'text' in one && 'text' in other && one.text === other.text ? [] : [step];
  });
  return [...attributes, ...children.flat()];
}

function label(node: XmlNode | undefined): string {
  if (node === undefined) return '';
  if (!isElement(node)) return `${node.kind}()`;
  return node.uri === '' ? node.local : `{${node.uri}}${node.local}`;
}

/** What begins a new line at a depth below the root; nothing where the document is on one line. */
function lineStart(xml: string, { start, openEnd }: XmlElement): (depth: number) => string {
  if (!/^\s*\n/.test(xml.slice(openEnd))) return () => '';
  const indentation = /[ \t]*$/.exec(xml.slice(0, start))?.[0] ?? '';
  return (depth) => `\n${indentation}${'  '.repeat(depth)}`;
}

/** Removes the element with the white space before it. */
function cut(xml: string, { start, end }: XmlElement): string {
  return splice(xml, xml.slice(0, start).trimEnd().length, end, '');
}

function splice(xml: string, from: number, to: number, text: string): string {
  return xml.slice(0, from) + text + xml.slice(to);
}
