import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { copyright } from './copyright.js';

// node deploy/bundle.js DIRECTORY: puts there samepaged.js and samepagectl.js, programs that need Node and nothing else,
// daemon.js and chunks/ with what they load, a package.json that says they are modules, and copyright, the licences of all
// that is in them. In dist/bundle, from where nothing is installed, there is demo.js as well. The same source gives the same bytes.

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const [directory] = process.argv.slice(2);
if (directory === undefined) {
  process.stderr.write('bundle.js: expected the directory to write to\n');
  process.exit(64);
}

const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
const common = { absWorkingDir: ROOT, outdir: directory, platform: 'node', target: 'node20.19', format: 'esm' };
// Alone, so that its handlers of signals are set before anything else is loaded.
await build({ ...common, entryPoints: { samepaged: 'src/daemon/main.ts' } });
const { metafile } = await build({
  ...common,
  entryPoints: {
    daemon: 'src/daemon/daemon.ts',
    samepagectl: 'src/ctl/main.ts',
    ...(resolve(directory) === join(ROOT, 'dist/bundle') ? { demo: 'src/demo/main.ts' } : {}),
  },
  bundle: true,
  // What is imported when it is needed is not loaded before.
  splitting: true,
  chunkNames: 'chunks/[name]-[hash]',
  define: { BUNDLED_VERSION: JSON.stringify(version) },
  // What rxjs has for Node is CommonJS, of which nothing can be left out: 280 KB that nobody needs.
  alias: { rxjs: join(ROOT, 'node_modules/rxjs/dist/esm/index.js') },
  // The CommonJS packages among them (pino) call require for Node's own modules.
  banner: { js: "import { createRequire } from 'node:module';\nconst require = createRequire(import.meta.url);" },
  legalComments: 'none',
  metafile: true,
  logLevel: 'warning',
});

const packages = Object.keys(metafile.inputs).flatMap((path) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path) ?? []);
writeFileSync(join(directory, 'package.json'), '{ "type": "module" }\n');
writeFileSync(
  join(directory, 'copyright'),
  copyright(ROOT, [...new Set(packages)].sort(), 'samepaged.js and samepagectl.js'),
);
