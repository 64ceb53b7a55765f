import { SaxesParser } from 'saxes';

/** An element, with where it stands in the text it was read from. */
export interface XmlElement {
  readonly uri: string;
  readonly local: string;
  /** Values by `{namespace}name`. Namespace declarations are not among them: they show in the names. */
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: readonly XmlNode[];
  /** Index of the `<` of the opening tag, and behind its `>`. */
  readonly start: number;
  readonly openEnd: number;
  /** Index of the `<` of the closing tag, and behind its `>`. In `<a/>` both are openEnd. */
  readonly closeStart: number;
  readonly end: number;
}

/** White space beside elements and comments is left out; entities and CDATA are what they stand for. */
export type XmlNode = XmlElement | { readonly kind: 'text' | 'comment' | 'instruction'; readonly text: string };

type Open = { -readonly [Key in keyof XmlElement]: XmlElement[Key] } & { children: XmlNode[] };

/** Elements inside each other: the limit of libxml2, and so of libvirt. Each level more makes all that is in it slower to read. */
const DEEPEST = 256;

const XMLNS = 'http://www.w3.org/2000/xmlns/';

/**
 * The root element of a document. What surrounds the root is not looked at.
 *
 * @throws Error with line and column when the text is not well-formed, or nested deeper than libvirt takes it.
 */
export function parseXml(text: string): XmlElement {
  const parser = new SaxesParser({ xmlns: true });
  const open: Open[] = [];
  let root: XmlElement | undefined;
  const add = (node: XmlNode) => open.at(-1)?.children.push(node);
  const addText = (kind: 'text', value: string) => {
    const siblings = open.at(-1)?.children;
    const last = siblings?.at(-1);
    if (last !== undefined && 'kind' in last && last.kind === kind) {
      siblings?.splice(-1, 1, { kind, text: last.text + value });
    } else add({ kind, text: value });
  };
  parser.on('text', (value) => {
    addText('text', value);
  });
  parser.on('cdata', (value) => {
    addText('text', value);
  });
  parser.on('comment', (value) => {
    add({ kind: 'comment', text: value });
  });
  parser.on('processinginstruction', ({ target, body }) => {
    add({ kind: 'instruction', text: `${target} ${body}` });
  });
  parser.on('opentag', ({ uri, local, attributes }) => {
    if (open.length === DEEPEST) throw parser.makeError(`elements are nested more than ${DEEPEST} deep`);
    const named = Object.values(attributes).filter((attribute) => attribute.uri !== XMLNS);
    const openEnd = parser.position;
    const element: Open = {
      uri,
      local,
      attributes: new Map(named.map((attribute) => [`{${attribute.uri}}${attribute.local}`, attribute.value])),
      children: [],
      // No `<` can be inside a tag.
      start: text.lastIndexOf('<', openEnd - 1),
      openEnd,
      closeStart: openEnd,
      end: openEnd,
    };
    add(element);
    root ??= element;
    open.push(element);
  });
  parser.on('closetag', ({ isSelfClosing }) => {
    const element = open.pop();
    if (element === undefined) return;
    element.end = parser.position;
    if (!isSelfClosing) element.closeStart = text.lastIndexOf('<', parser.position - 1);
    element.children = withoutPadding(element.children);
  });
  parser.write(text).close();
  if (root === undefined) throw new Error('there is no element');
  return root;
}

/** White space is content only where there is nothing else beside it. */
function withoutPadding(nodes: XmlNode[]): XmlNode[] {
  return nodes.every(isText) ? nodes : nodes.filter((node) => !isText(node) || node.text.trim() !== '');
}

function isText(node: XmlNode): node is Exclude<XmlNode, XmlElement> {
  return !isElement(node) && node.kind === 'text';
}

export function isElement(node: XmlNode): node is XmlElement {
  return !('kind' in node);
}

/** The child elements of that name, in no namespace. */
export function childrenNamed(element: XmlElement | undefined, name: string): readonly XmlElement[] {
  return (element?.children ?? []).filter(isElement).filter(({ uri, local }) => uri === '' && local === name);
}

/** The value of an attribute that is in no namespace. */
export function attributeOf(element: XmlElement | undefined, name: string): string | undefined {
  return element?.attributes.get(`{}${name}`);
}
