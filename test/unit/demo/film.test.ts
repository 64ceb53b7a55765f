import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { SaxesParser } from 'saxes';
import type { Line } from '../../../src/text/cells.js';
import { film } from '../../../src/demo/film.js';

const OPTIONS = { columns: 20, rows: 2, title: 'a <film> & more', pictureSeconds: 0.5 };
const FIRST: readonly Line[] = [[{ text: 'a < b  c' }, { text: ' d', ink: 'saved' }], [{ text: 'same' }]];
const SECOND: readonly Line[] = [[{ text: '__▁▁█', ink: 'ksmd' }], [{ text: 'same' }]];
const THIRD: readonly Line[] = [[], [{ text: 'same' }]];

interface Tag {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
}

/** The elements of the film; throws where it is no XML. */
function tags(svg: string): readonly Tag[] {
  const found: Tag[] = [];
  const parser = new SaxesParser();
  parser.on('opentag', ({ name, attributes }) => found.push({ name, attributes }));
  parser.on('error', (error) => {
    throw error;
  });
  parser.write(svg).close();
  return found;
}

describe('a film of a terminal', () => {
  const svg = film([FIRST, SECOND, THIRD], OPTIONS);

  test('is well-formed, the same each time, and needs nothing from elsewhere', () => {
    assert.ok(tags(svg).length > 10);
    assert.equal(film([FIRST, SECOND, THIRD], OPTIONS), svg);
    assert.doesNotMatch(svg.replace('http://www.w3.org/2000/svg', ''), /<script|https?:|url\(/);
  });

  test('draws a line that stays once, and uses it in each picture', () => {
    assert.equal(svg.match(/>same</g)?.length, 1);
    const uses = tags(svg).filter(({ name }) => name === 'use');
    assert.deepEqual(
      uses.map(({ attributes }) => [attributes['href'], attributes['y']]),
      [
        ['#l0', '0'],
        ['#l1', '16'],
        ['#l2', '32'],
        ['#l1', '48'],
        ['#l1', '80'],
      ],
    );
  });

  test('puts every part of a line into its column, in its colour', () => {
    const texts = tags(svg).filter(({ name, attributes }) => name === 'text' && attributes['y'] === '12');
    assert.deepEqual(
      texts.map(({ attributes }) => [attributes['x'], attributes['class']]),
      [
        ['0', undefined],
        ['56', undefined],
        ['72', 'saved'],
        ['0', undefined],
      ],
    );
    assert.match(svg, />a &lt; b</);
  });

  test('draws curves as areas: a line for nothing, eighths of a line above', () => {
    const paths = tags(svg).filter(({ name }) => name === 'path');
    assert.deepEqual(
      paths.map(({ attributes }) => ({ ...attributes })),
      [{ class: 'ksmd', d: 'M0 16v-1h16v1zM16 16v-2h16v2zM32 16v-16h8v16z' }],
    );
  });

  test('moves to the last picture, which stays, and shows that alone where motion is not wanted', () => {
    assert.match(svg, /^\.film\{transform:translateY\(-64px\)\}$/m);
    assert.match(svg, /from\{transform:translateY\(0\)\}to\{transform:translateY\(-64px\)\}/);
    assert.match(
      svg,
      /^@media \(prefers-reduced-motion:no-preference\)\{\.film\{animation:film 1s steps\(2\) both\}\}$/m,
    );
  });
});
