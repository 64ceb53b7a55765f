import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { removeScratch, scratchDirectory } from '../../support/scratch.js';

const run = promisify(execFile);

/** They permit what the packages do with them, and ask for nothing but their text and their authors' names. */
const LICENCES = ['0BSD', 'Apache-2.0', 'BSD-3-Clause', 'ISC', 'MIT'];

interface Component {
  readonly purl: string;
  readonly hashes?: readonly { readonly alg: string }[];
  readonly licenses?: readonly { readonly license: { readonly id?: string } }[];
}

interface Bill {
  readonly components: readonly Component[];
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn: readonly string[] }[];
}

/** Of the programs, and of the page for Cockpit. */
for (const [bundle, least] of Object.entries({ 'deploy/bundle.js': 30, 'deploy/cockpit/bundle.js': 10 })) {
  describe(`the bill of materials of ${bundle}`, () => {
    let directory = '';
    let named: readonly string[] = [];
    let bill: Bill;
    before(async () => {
      directory = await scratchDirectory('bill');
      await run(process.execPath, [bundle, directory]);
      const copyright = join(directory, 'copyright');
      named = Array.from(readFileSync(copyright, 'utf8').matchAll(/^Files: (node_modules\/.*)\/\*$/gm), ([, path]) =>
        String(path),
      );
      bill = JSON.parse((await run(process.execPath, ['deploy/sbom.js', copyright])).stdout) as Bill;
    });
    after(() => removeScratch(directory));

    it(`the bill of materials of ${bundle} has every package that is bundled, in its version, and no other`, () => {
      const packages = named.map((path) => {
        const { name, version } = JSON.parse(readFileSync(join(path, 'package.json'), 'utf8')) as Record<
          string,
          string
        >;
        return `pkg:npm/${String(name).replace('@', '%40')}@${String(version)}`;
      });
      assert.ok(packages.length >= least, String(packages.length));
      assert.deepEqual(bill.components.map(({ purl }) => purl).sort(), packages.sort());
    });

    it(`the bill of materials of ${bundle} has the SHA-512 of each package, and a licence that may be bundled`, () => {
      for (const { purl, hashes, licenses } of bill.components) {
        assert.deepEqual(
          hashes?.map(({ alg }) => alg),
          ['SHA-512'],
          purl,
        );
        const ids = licenses?.map(({ license }) => String(license.id)) ?? [];
        assert.ok(ids.length > 0 && ids.every((id) => LICENCES.includes(id)), `${purl}: ${ids.join(' ')}`);
      }
    });

    it(`the bill of materials of ${bundle} says of each package by what it is needed`, () => {
      const needed = new Set(bill.dependencies.flatMap(({ dependsOn }) => dependsOn));
      assert.deepEqual(
        bill.dependencies.slice(1).filter(({ ref }) => !needed.has(ref)),
        [],
      );
    });
  });
}
