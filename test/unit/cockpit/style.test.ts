import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { it } from 'node:test';

it("the page's style sheet names no left and no right, so that it holds for both directions of writing", () => {
  const css = readFileSync('src/cockpit/style.css', 'utf8').replaceAll(/\/\*.*?\*\//gs, '');
  const physical =
    /(?:\b(?:left|right)\b|^\s*(?:margin|padding|border|inset)-(?:top|bottom)\b|^\s*(?:width|height):)/gm;
  assert.deepEqual(css.match(physical) ?? [], []);
});
