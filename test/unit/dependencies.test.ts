import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';

// What can be known of packages without the registry: npm takes these versions and no others, and each has a reason.

interface Locked {
  readonly version: string;
  readonly integrity?: string;
  readonly link?: boolean;
  readonly hasInstallScript?: boolean;
}

type Names = Readonly<Record<string, string>>;

const json = (path: string) => JSON.parse(readFileSync(path, 'utf8')) as unknown;
const manifest = json('package.json') as { dependencies: Names; devDependencies: Names };
const { packages } = json('package-lock.json') as { packages: Readonly<Record<string, Locked>> };
const direct = { ...manifest.dependencies, ...manifest.devDependencies };
const locked = Object.entries(packages).filter(([path]) => path !== '');

describe('dependencies', () => {
  test('package.json names exact versions, and package-lock.json has these', () => {
    for (const [name, wanted] of Object.entries(direct)) {
      const version = /^(?:npm:(?:@[^/]+\/)?[^@]+@)?(\d+\.\d+\.\d+)$/.exec(wanted)?.[1];
      assert.ok(version !== undefined, `${name}: ${wanted} is not one version`);
      assert.equal(packages[`node_modules/${name}`]?.version, version, name);
    }
  });

  test('package-lock.json has the SHA-512 of every package, by which npm ci refuses another one', () => {
    assert.ok(locked.length > 100, String(locked.length));
    for (const [path, { integrity, link }] of locked) {
      assert.match(integrity ?? '', /^sha512-[\w+/]{86}==$/, path);
      assert.equal(link, undefined, path);
    }
  });

  test('no package runs a program when it is installed but esbuild, whose program npm may block', () => {
    const paths = locked.filter(([, { hasInstallScript }]) => hasInstallScript === true).map(([path]) => path);
    assert.deepEqual(paths, ['node_modules/esbuild']);
  });

  test('docs/development.md has a reason for each dependency', () => {
    const rows = [...readFileSync('docs/development.md', 'utf8').matchAll(/^\| (`.*?) \|/gm)].map(([, cell]) => cell);
    const names = rows.flatMap((cell) => Array.from(cell?.matchAll(/`([^`]+)`/g) ?? [], ([, name]) => name ?? ''));
    const unexplained = Object.keys(direct).filter(
      (name) => !names.some((known) => known === name || (known.endsWith('*') && name.startsWith(known.slice(0, -1)))),
    );
    assert.deepEqual(unexplained, []);
  });
});
