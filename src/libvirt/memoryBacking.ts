import type { MemoryTraits, Obstacle } from '../core/mergeability.js';
import { type XmlElement, attributeOf, childrenNamed, isElement, parseXml } from '../text/xml.js';

/**
 * What a running guest's domain XML says of its memory, for a guest whose process cannot be seen.
 * https://libvirt.org/formatdomain.html#memory-backing
 */
export function traitsOfDefinition(xml: string): MemoryTraits {
  const domain = parseXml(xml);
  const [backing] = childrenNamed(domain, 'memoryBacking');
  const cells = numaCells(domain);
  const says = (name: string) => childrenNamed(backing, name).length > 0;
  const obstacles: Obstacle[] = [];
  if (says('nosharepages')) obstacles.push('nosharepages');
  if (isShared(backing, cells)) obstacles.push('shared');
  if (isHuge(backing, cells)) obstacles.push('hugepages');
  if (hasPassthrough(domain)) obstacles.push('pinned');
  if (childrenNamed(domain, 'launchSecurity').length > 0) obstacles.push('encrypted');
  return { obstacles, locked: says('locked') };
}

function numaCells(domain: XmlElement): readonly XmlElement[] {
  return childrenNamed(domain, 'cpu')
    .flatMap((cpu) => childrenNamed(cpu, 'numa'))
    .flatMap((numa) => childrenNamed(numa, 'cell'));
}

/** All of it: a cell can have a mode of its own, and memfd is shared unless it is told to be private. */
function isShared(backing: XmlElement | undefined, cells: readonly XmlElement[]): boolean {
  const source = attributeOf(childrenNamed(backing, 'source')[0], 'type');
  const mode = attributeOf(childrenNamed(backing, 'access')[0], 'mode') ?? (source === 'memfd' ? 'shared' : 'private');
  const modes = cells.length === 0 ? [mode] : cells.map((cell) => attributeOf(cell, 'memAccess') ?? mode);
  return modes.every((each) => each === 'shared');
}

/** All of it: a page size with a nodeset is for these cells alone. */
function isHuge(backing: XmlElement | undefined, cells: readonly XmlElement[]): boolean {
  const [hugepages] = childrenNamed(backing, 'hugepages');
  if (hugepages === undefined) return false;
  const nodesets = childrenNamed(hugepages, 'page').map((page) => attributeOf(page, 'nodeset'));
  if (nodesets.length === 0 || nodesets.includes(undefined)) return true;
  return new Set(nodesets.flatMap((nodeset) => numbersOf(nodeset ?? ''))).size >= Math.max(cells.length, 1);
}

/** `0-2,5` is 0, 1, 2, 5. */
function numbersOf(nodeset: string): number[] {
  return nodeset.split(',').flatMap((part) => {
    const [from = 0, to = from] = part.split('-').map(Number);
    return Array.from({ length: Math.max(to - from + 1, 0) }, (_unused, at) => from + at);
  });
}

/** A PCI device of the host's. Mediated devices hold only what they use. */
function hasPassthrough(domain: XmlElement): boolean {
  const devices = childrenNamed(domain, 'devices').flatMap(({ children }) => children.filter(isElement));
  return devices.some((device) => {
    const type = attributeOf(device, 'type');
    return (device.local === 'hostdev' && type === 'pci') || (device.local === 'interface' && type === 'hostdev');
  });
}
