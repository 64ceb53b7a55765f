/** From nothing to a full cell. What is above nothing shows, and so does a 0 that is known. */
const BLOCKS = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'] as const;
const ASCII = [' ', '.', ':', '#'] as const;
const ZERO = '_';

/**
 * A filled curve as lines from top to bottom, a character for each value. Where nothing is known it is blank.
 *
 * @param top the value that fills all lines.
 */
export function curve(
  values: readonly (number | undefined)[],
  { top, rows, unicode }: { readonly top: number; readonly rows: number; readonly unicode: boolean },
): readonly string[] {
  const cells = unicode ? BLOCKS : ASCII;
  const full = cells.length - 1;
  const levels = values.map((value) => {
    if (value === undefined) return undefined;
    const level = Math.round((value / top) * rows * full);
    return value <= 0 ? 0 : Math.min(Math.max(level, 1), rows * full);
  });
  return Array.from({ length: rows }, (_, row) => {
    const below = (rows - 1 - row) * full;
    return levels
      .map((level) => {
        if (level === undefined) return ' ';
        if (level === 0 && below === 0) return ZERO;
        return cells[Math.min(Math.max(level - below, 0), full)] ?? ' ';
      })
      .join('');
  });
}
