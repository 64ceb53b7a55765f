import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** A line of a licence's text that names who holds the rights, and not one that speaks of notices and holders. */
const HOLDER = /^\s*(?:Copyright(?: \([cC]\)| ©)? +(?=\d{4}|[A-Z](?!icense))|\([cC]\) (?=\d{4}))(.*)$/;

/**
 * Debian's machine-readable copyright file (DEP 5) of samepaged with the packages that are bundled into it.
 *
 * @param {string} root the checkout
 * @param {readonly string[]} packages their directories below it
 * @param {string} programs what they are bundled into
 */
export function copyright(root, packages, programs) {
  const sources = packages.map((directory) => readSource(root, directory));
  const texts = new Map(sources.flatMap(({ license, text }) => (text === undefined ? [] : [[license, text]])));
  const own = { ...readSource(root, '.'), files: '*' };
  return [
    'Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n' +
      'Upstream-Name: samepaged\n' +
      `Comment: ${programs} are bundled from the sources below.\n`,
    ...[own, ...sources].map(({ files, name, version, holders, license, text = texts.get(license) }) => {
      if (text === undefined) throw new Error(`${files}: no text of its licence (${license})`);
      const from = files === own.files ? '' : `Comment: npm package ${name} ${version}\n`;
      return `Files: ${files}\nCopyright: ${holders.join('\n ')}\nLicense: ${license}\n${indented(text)}\n${from}`;
    }),
  ].join('\n');
}

/** What a package says of itself; some come without their licence's text. */
function readSource(root, directory) {
  const path = join(root, directory);
  const { name, version, license, author } = JSON.parse(readFileSync(join(path, 'package.json'), 'utf8'));
  const file = readdirSync(path).find((entry) => /^licen[cs]e/i.test(entry));
  const lines = file === undefined ? [] : readFileSync(join(path, file), 'utf8').trim().split(/\r?\n/);
  const named = lines.flatMap((line) => HOLDER.exec(line)?.[1] ?? []);
  const writer = author?.name ?? author ?? `the authors of ${name}`;
  return {
    files: `${directory}/*`,
    name,
    version,
    license,
    holders:
      named.length === 0 ? [writer] : named.map((holder) => (/^\d+$/.test(holder) ? `${holder} ${writer}` : holder)),
    text:
      file === undefined
        ? undefined
        : lines
            .filter((line) => !HOLDER.test(line))
            .join('\n')
            .trim(),
  };
}

/** A text as the continuation of a field: a blank in front of each line, a dot for an empty one. */
function indented(text) {
  return text.replace(/^.*$/gm, (line) => ` ${line.trim() === '' ? '.' : line.trimEnd()}`);
}
