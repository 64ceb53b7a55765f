/** An option's value taken apart: `memfd,id=ram,share=on` or the same as JSON. */
export type Properties = ReadonlyMap<string, string>;

/** The values of an option of a QEMU command line, under all of its names, in the order given. */
export function valuesOf(argv: readonly string[], ...names: readonly string[]): readonly string[] {
  const flags = names.flatMap((name) => [`-${name}`, `--${name}`]);
  return argv.filter((_word, at) => flags.includes(argv[at - 1] ?? ''));
}

/**
 * As valuesOf, each value taken apart. A comma in a value is doubled.
 *
 * @param first the name of what comes first without one.
 */
export function propertiesOf(
  argv: readonly string[],
  first: string,
  ...names: readonly string[]
): readonly Properties[] {
  return valuesOf(argv, ...names).map((value) => (value.startsWith('{') ? fromJson(value) : fromText(value, first)));
}

/** What an option says first, or under that name. Of a repeated option QEMU takes the last that says something. */
export function firstOf(argv: readonly string[], first: string, option: string): string | undefined {
  return propertiesOf(argv, first, option)
    .findLast((properties) => (properties.get(first) ?? '') !== '')
    ?.get(first);
}

function fromText(value: string, first: string): Properties {
  const parts = value
    .replaceAll(',,', '\0')
    .split(',')
    .map((part) => part.replaceAll('\0', ','));
  return new Map(
    parts.map((part, index): [string, string] => {
      const at = part.indexOf('=');
      if (at >= 0) return [part.slice(0, at), part.slice(at + 1)];
      return index === 0 ? [first, part] : [part, 'on'];
    }),
  );
}

/** Without what is within other objects. */
function fromJson(text: string): Properties {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return new Map();
  }
  const entries = typeof value === 'object' && value !== null ? Object.entries(value) : [];
  return new Map(entries.flatMap(([name, inner]) => (typeof inner === 'object' ? [] : [[name, String(inner)]])));
}

/**
 * Where QEMU listens for a program: `-qmp unix:PATH,server=on`, or `-chardev socket,id=X,path=PATH,server=on` with
 * `-mon chardev=X,mode=control` (Proxmox). libvirt hands QEMU an open socket, which has no path here.
 */
export function qmpSocketOf(argv: readonly string[]): string | undefined {
  const isServer = (option: ReadonlyMap<string, string>) => ['on', 'yes', 'true'].includes(option.get('server') ?? '');
  const direct = propertiesOf(argv, 'address', 'qmp', 'qmp-pretty')
    .filter((option) => isServer(option) && option.get('address')?.startsWith('unix:') === true)
    .map((option) => option.get('address')?.slice('unix:'.length));
  const monitors = propertiesOf(argv, 'chardev', 'mon').filter((option) => option.get('mode') === 'control');
  const names = new Set(monitors.map((option) => option.get('chardev')));
  const named = propertiesOf(argv, 'backend', 'chardev')
    .filter((option) => names.has(option.get('id')) && option.get('backend') === 'socket' && isServer(option))
    .map((option) => option.get('path'));
  return [...direct, ...named].find((path) => path !== undefined);
}
