/**
 * `template` with each `@name@` replaced by its value.
 *
 * @param file the template's name, for errors.
 * @throws Error for a name that has no value, and for values that no name asks for: a new key, option or method belongs
 *   into its page.
 */
export function fill(template: string, values: Readonly<Record<string, string>>, file: string): string {
  const missing = new Set(Object.keys(values));
  const text = template.replace(/@([\w.-]+)@/g, (placeholder, name: string) => {
    const value = Object.hasOwn(values, name) ? values[name] : undefined;
    if (value === undefined)
      throw new Error(`${file}: there is no ${placeholder}; expected one of ${[...Object.keys(values)].join(', ')}`);
    missing.delete(name);
    return value;
  });
  if (missing.size > 0) {
    const names = [...missing].map((name) => `@${name}@`).join(', ');
    throw new Error(`${file}: nothing is said of ${names}; put it where it belongs, with what there is to know of it`);
  }
  return text;
}
