/** The part of JSON Schema (2020-12) that the schemas here are written in. Any other keyword is an error, not passed over. */
interface Schema {
  readonly $schema?: string;
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, Schema>>;
  readonly title?: string;
  readonly description?: string;
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly oneOf?: readonly Schema[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly items?: Schema;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
}

const KEYWORDS = new Set([
  ...['$schema', '$ref', '$defs', 'title', 'description', 'type', 'const', 'enum', 'oneOf', 'minimum', 'maximum'],
  ...['items', 'required', 'properties'],
]);

/**
 * What is wrong with `value`, each with its path. A member that the schema does not describe is wrong too, where it describes
 * any: JSON Schema allows it, but what is printed should be documented.
 *
 * @throws Error for a schema that says more than is understood here.
 */
export function schemaErrors(root: unknown, value: unknown): readonly string[] {
  return check(root as Schema, root as Schema, value, '$');
}

function check(root: Schema, schema: Schema, value: unknown, path: string): readonly string[] {
  const strange = Object.keys(schema).filter((keyword) => !KEYWORDS.has(keyword));
  if (strange.length > 0) throw new Error(`${path}: the keywords ${strange.join(', ')} are not understood`);
  const { $ref, oneOf, type, minimum, maximum } = schema;
  const errors: string[] = [];
  if ($ref !== undefined) errors.push(...check(root, defined(root, $ref), value, path));
  if (oneOf !== undefined) {
    const outcomes = oneOf.map((option) => check(root, option, value, path));
    const fitting = outcomes.filter((outcome) => outcome.length === 0).length;
    if (fitting !== 1) errors.push(`${path}: fits ${fitting} of ${oneOf.length} forms: ${outcomes.flat().join('; ')}`);
  }
  if (type !== undefined && ![type].flat().some((name) => isA(name, value))) {
    errors.push(`${path}: ${JSON.stringify(value)} is not of type ${[type].flat().join(' or ')}`);
  }
  if ('const' in schema && value !== schema.const) errors.push(`${path}: is not ${JSON.stringify(schema.const)}`);
  if (schema.enum?.includes(value) === false) errors.push(`${path}: ${JSON.stringify(value)} is none of the values`);
  if (typeof value === 'number' && minimum !== undefined && value < minimum)
    errors.push(`${path}: ${value} is too low`);
  if (typeof value === 'number' && maximum !== undefined && value > maximum)
    errors.push(`${path}: ${value} is too high`);
  if (Array.isArray(value) && schema.items !== undefined) {
    for (const [at, item] of value.entries()) errors.push(...check(root, schema.items, item, `${path}[${at}]`));
  }
  if (isA('object', value)) errors.push(...checkMembers(root, schema, value as Record<string, unknown>, path));
  return errors;
}

function checkMembers(
  root: Schema,
  { required = [], properties }: Schema,
  value: Readonly<Record<string, unknown>>,
  path: string,
): readonly string[] {
  const missing = required.filter((name) => !Object.hasOwn(value, name)).map((name) => `${path}.${name}: is missing`);
  if (properties === undefined) return missing;
  const members = Object.entries(value).flatMap(([name, member]) => {
    const described = properties[name];
    const at = `${path}.${name}`;
    return described === undefined ? [`${at}: is not described`] : check(root, described, member, at);
  });
  return [...missing, ...members];
}

function defined({ $defs }: Schema, ref: string): Schema {
  const schema = $defs?.[ref.replace('#/$defs/', '')];
  if (schema === undefined) throw new Error(`${ref} is not defined`);
  return schema;
}

function isA(type: string, value: unknown): boolean {
  switch (type) {
    case 'integer':
      return Number.isInteger(value);
    case 'null':
      return value === null;
    case 'array':
      return Array.isArray(value);
    case 'object':
      return typeof value === 'object' && value !== null && !Array.isArray(value);
    default:
      return typeof value === type;
  }
}
