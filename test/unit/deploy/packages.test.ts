import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { VERSION } from '../../support/version.js';

// What can be said of the recipes without the tools of their distributions; `npm run test:packages` has those.

const read = (file: string) => readFileSync(file, 'utf8');
const RECIPES = ['deploy/package.sh', 'deploy/rpm/samepaged.spec', 'deploy/arch/PKGBUILD', 'deploy/nix/package.nix'];
describe('the recipes of packages', () => {
  test('the recipes of packages have the version of package.json', () => {
    const spec = read('deploy/rpm/samepaged.spec');
    assert.equal(/^Version: +(\S+)$/m.exec(spec)?.[1], VERSION);
    assert.equal(/^%changelog\n\* .* - (\S+)-1$/m.exec(spec)?.[1], VERSION);
    assert.equal(/^pkgver=(\S+)$/m.exec(read('deploy/arch/PKGBUILD'))?.[1], VERSION);
  });

  for (const recipe of RECIPES) {
    test(`the recipe ${recipe} installs with deploy/install.sh, which has the list of files`, () => {
      assert.match(read(recipe), /deploy\/install\.sh .*--node=\S+ --cockpit$/m);
    });
  }
});
