import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';

// node deploy/sbom.js COPYRIGHT: prints the software bill of materials (CycloneDX, JSON) of a package whose copyright file this
// is, which names what is bundled. `npm sbom` describes each of these by package-lock.json. Its own choice, --omit=dev, would
// lack the page's packages, which npm installs to build, and have some that esbuild leaves out. The same source and npm give
// the same bytes: no serial number, no time.

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const [copyright] = process.argv.slice(2);
if (copyright === undefined) {
  process.stderr.write('sbom.js: expected the copyright file of a package\n');
  process.exit(64);
}

const lock = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8'));
const everything = JSON.parse(
  execFileSync('npm', ['sbom', '--sbom-format=cyclonedx', '--package-lock-only'], { cwd: ROOT, maxBuffer: 2 ** 26 }),
);
const own = everything.metadata.component;
const bundled = new Set(
  [...readFileSync(copyright, 'utf8').matchAll(/^Files: (node_modules\/.*)\/\*$/gm)].map(([, path]) => {
    const { version, name = path.split('node_modules/').at(-1) } = lock.packages[path];
    return `${name}@${version}`;
  }),
);
const components = everything.components.filter((component) => bundled.has(component['bom-ref']));
if (bundled.size === 0 || components.length !== bundled.size) {
  throw new Error(`npm sbom knows ${components.length} of the ${bundled.size} packages in ${basename(copyright)}`);
}

const sbom = {
  $schema: everything.$schema,
  bomFormat: everything.bomFormat,
  specVersion: everything.specVersion,
  version: 1,
  // npm takes the name from the directory.
  metadata: { tools: everything.metadata.tools, component: { ...own, type: 'application', name: lock.name } },
  components: components.map((component) => ({ ...component, scope: 'required', properties: [] })),
  dependencies: everything.dependencies
    .filter(({ ref }) => ref === own['bom-ref'] || bundled.has(ref))
    .map(({ ref, dependsOn }) => ({ ref, dependsOn: dependsOn.filter((name) => bundled.has(name)) })),
};
process.stdout.write(`${JSON.stringify(sbom, undefined, 2)}\n`);
