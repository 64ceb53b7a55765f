import { type XmlElement, attributeOf, childrenNamed, parseXml } from '../../../src/text/xml.js';
import { entry, escaped, literal } from './roff.js';

const DOC = 'org.gtk.GDBus.DocString';

/**
 * A D-Bus interface as roff: what is said of it, and each member with its signature and what is said of it.
 *
 * @param xml introspection data (D-Bus specification, "Introspection Data Format") with GDBus's doc strings.
 * @throws Error when the interface is not in it, or nothing is said of a member.
 */
export function busInterface(
  xml: string,
  name: string,
): Readonly<Record<'interface' | 'methods' | 'signals' | 'properties', string>> {
  const found = childrenNamed(parseXml(xml), 'interface').find((element) => attributeOf(element, 'name') === name);
  if (found === undefined) throw new Error(`expected the interface ${name} in the introspection data`);
  const list = (kind: string, signature: (member: XmlElement) => string) =>
    childrenNamed(found, kind)
      .map((member) => entry(`${literal(attributeOf(member, 'name') ?? '')}${signature(member)}`, docOf(member)))
      .join('\n');
  return {
    interface: docOf(found),
    methods: list('method', signatureOf),
    signals: list('signal', signatureOf),
    properties: list('property', (property) => ` (${attributeOf(property, 'type') ?? ''})`),
  };
}

/** The actions of a polkit policy, each with its description (polkit(8)). */
export function polkitActions(xml: string): string {
  return childrenNamed(parseXml(xml), 'action')
    .map((action) => {
      const [text] = childrenNamed(action, 'description')[0]?.children ?? [];
      const description = text !== undefined && 'text' in text ? text.text : '';
      return entry(literal(attributeOf(action, 'id') ?? ''), escaped(description));
    })
    .join('\n');
}

function docOf(element: XmlElement): string {
  const doc = childrenNamed(element, 'annotation').find((annotation) => attributeOf(annotation, 'name') === DOC);
  const text = attributeOf(doc, 'value');
  if (text === undefined) throw new Error(`expected a ${DOC} of ${attributeOf(element, 'name') ?? ''}`);
  return escaped(text);
}

function signatureOf(member: XmlElement): string {
  const args = childrenNamed(member, 'arg');
  const outs = args.filter((arg) => attributeOf(arg, 'direction') === 'out');
  const listed = (wanted: readonly XmlElement[]) => wanted.map(argument).join(', ');
  return `(${listed(args.filter((arg) => !outs.includes(arg)))})${outs.length === 0 ? '' : ` \\-> ${listed(outs)}`}`;
}

function argument(arg: XmlElement): string {
  const name = attributeOf(arg, 'name');
  const type = attributeOf(arg, 'type') ?? '';
  return name === undefined ? type : `${type} \\fI${name}\\fR`;
}
