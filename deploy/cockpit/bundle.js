import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { copyright } from '../copyright.js';
import { localeScript, translationsOf } from './translations.js';
import { withoutUnused } from './withoutUnused.js';

// node deploy/cockpit/bundle.js DIRECTORY: puts there the page for Cockpit, compressed as Cockpit serves it, and copyright,
// the licences of all that is in it. The same source gives the same bytes.

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const SOURCE = join(ROOT, 'src/cockpit');
const [directory] = process.argv.slice(2);
if (directory === undefined) {
  process.stderr.write('bundle.js: expected the directory to write to\n');
  process.exit(64);
}
const page = join(directory, 'samepaged');

const { metafile, outputFiles } = await build({
  absWorkingDir: ROOT,
  entryPoints: { index: 'src/cockpit/index.tsx' },
  outdir: page,
  bundle: true,
  minify: true,
  write: false,
  platform: 'browser',
  // What Cockpit itself asks of a browser.
  target: ['chrome111', 'firefox115', 'safari16.4'],
  jsx: 'automatic',
  define: { 'process.env.NODE_ENV': '"production"' },
  // Fonts are Cockpit's; PatternFly's pictures are of components that are not here.
  external: ['*.woff', '*.woff2', '*.jpg', '*.svg'],
  legalComments: 'none',
  metafile: true,
  logLevel: 'warning',
});

/** Cockpit serves NAME.gz where it is asked for NAME. */
function put(name, text) {
  writeFileSync(join(page, `${name}.gz`), gzipSync(text, { level: 9 }));
}

mkdirSync(page, { recursive: true });
const [script = '', style = ''] = ['js', 'css'].map((end) => outputFiles.find(({ path }) => path.endsWith(end))?.text);
put('index.js', script);
put('index.css', withoutUnused(style, script));
for (const name of ['index.html', 'manifest.json']) writeFileSync(join(page, name), readFileSync(join(SOURCE, name)));

const manifest = JSON.parse(readFileSync(join(SOURCE, 'manifest.json'), 'utf8'));
const labels = Object.values(manifest.menu).map(({ label }) => label);
for (const file of readdirSync(join(SOURCE, 'po')).filter((name) => name.endsWith('.po'))) {
  const translations = translationsOf(readFileSync(join(SOURCE, 'po', file)));
  put(`po.${translations.language}.js`, localeScript(translations));
  put(`po.manifest.${translations.language}.js`, localeScript(translations, labels));
}

const packages = Object.keys(metafile.inputs).flatMap((path) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path) ?? []);
writeFileSync(
  join(directory, 'copyright'),
  copyright(ROOT, [...new Set(packages)].sort(), 'index.js and index.css of the page'),
);
