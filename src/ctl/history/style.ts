interface Colour {
  readonly property: 'fill' | 'stroke';
  readonly light: string;
  readonly dark: string;
}

const ink = (light: string, dark: string): Colour => ({ property: 'fill', light, dark });
const pen = (light: string, dark: string): Colour => ({ property: 'stroke', light, dark });

/**
 * Every class of the chart with its colour on a light page and on a dark one. Written out rather than as CSS variables: not
 * every viewer of SVG knows those. Hues differ in lightness too, and marks in shape, for those who see colours otherwise.
 */
const COLOURS: Readonly<Record<string, Colour>> = {
  page: ink('#ffffff', '#14181d'),
  text: ink('#57606a', '#9aa4af'),
  strong: ink('#1c2127', '#eef1f4'),
  grid: pen('#e7eaee', '#272d35'),
  axis: pen('#aeb6bf', '#4a535d'),
  gap: pen('#dde1e6', '#2f363f'),
  guide: pen('#8b95a1', '#6d7783'),
  'saved-area': ink('#b5e3d2', '#12503f'),
  'saved-line': pen('#0b7f5c', '#3fcf9f'),
  'free-line': pen('#2563c9', '#7db0ff'),
  'ksmd-area': ink('#f7d9b5', '#5c3a14'),
  'ksmd-line': pen('#b8651b', '#f0a656'),
  merging: ink('#e0a458', '#b97728'),
  unmerged: ink('#c9252d', '#ff7b78'),
  started: ink('#0b7f5c', '#3fcf9f'),
  stopped: ink('#6b7682', '#8b96a2'),
  crashed: pen('#c9252d', '#ff7b78'),
  resized: pen('#6b7682', '#8b96a2'),
  decision: ink('#6b3fa0', '#c8a4f5'),
};

const SHAPES = `
text{font-family:system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","Liberation Sans",Arial,sans-serif;font-size:12px}
.strong{font-weight:600}
.title{font-size:17px}
.small{font-size:11px}
.grid,.axis,.gap,.guide{stroke-width:1;fill:none}
.guide{stroke-dasharray:2 3}
.saved-line,.free-line,.ksmd-line,.crashed,.resized{fill:none;stroke-linejoin:round;stroke-linecap:round}
.saved-line,.free-line,.crashed{stroke-width:2}
.ksmd-line,.resized{stroke-width:1.3}
`;

/** The chart's own style sheet: light, and dark where the reader's system is. */
export function chartStyle(): string {
  const rules = (of: 'light' | 'dark') =>
    Object.entries(COLOURS).map(([name, colour]) => `.${name}{${colour.property}:${colour[of]}}`);
  return `${SHAPES}${rules('light').join('\n')}\n@media (prefers-color-scheme:dark){\n${rules('dark').join('\n')}\n}\n`;
}
