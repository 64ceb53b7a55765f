import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import type { DaemonSet } from 'kubernetes-types/apps/v1.js';
import type { ConfigMap } from 'kubernetes-types/core/v1.js';
import ts from 'typescript';
import { parse } from 'yaml';
import { loadConfig } from '../../../src/config/load.js';
import { HELP } from '../../../src/daemon/commandLine.js';
import { scratchDirectory } from '../../support/scratch.js';

const DIRECTORY = 'deploy/kubernetes';
/** Modules of kubernetes-types, by apiVersion. Kinds of operators are not in it. */
const MODULES: Readonly<Record<string, string>> = {
  v1: 'core/v1',
  'apps/v1': 'apps/v1',
  'networking.k8s.io/v1': 'networking/v1',
};

interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
}

interface Kustomization extends Manifest {
  readonly resources: readonly string[];
}

const FILES = readdirSync(DIRECTORY, { encoding: 'utf8', recursive: true })
  .filter((name) => name.endsWith('.yaml'))
  .sort();

function read(file: string): unknown {
  return parse(readFileSync(join(DIRECTORY, file), 'utf8'), { merge: true });
}

/** What tsc says of objects that are to be of these kinds of Kubernetes' API (1.30): unknown fields, missing ones, wrong types. */
function complaints(manifests: readonly Manifest[]): readonly string[] {
  const name = join(process.cwd(), 'test/manifests.ts');
  const text = manifests
    .map((manifest, at) => {
      const type = `import('kubernetes-types/${MODULES[manifest.apiVersion]}.js').${manifest.kind}`;
      return `export const m${at}: ${type} = ${JSON.stringify(manifest)};`;
    })
    .join('\n');
  const options: ts.CompilerOptions = {
    module: ts.ModuleKind.NodeNext,
    target: ts.ScriptTarget.ES2022,
    ...{ strict: true, noEmit: true, skipLibCheck: true, types: [], lib: ['lib.es5.d.ts'] },
  };
  const host = ts.createCompilerHost(options);
  const [fileExists, getSourceFile] = [host.fileExists.bind(host), host.getSourceFile.bind(host)];
  host.fileExists = (path) => path === name || fileExists(path);
  host.getSourceFile = (path, ...rest) =>
    path === name ? ts.createSourceFile(path, text, ts.ScriptTarget.ES2022) : getSourceFile(path, ...rest);
  return ts
    .getPreEmitDiagnostics(ts.createProgram([name], options, host))
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, ' '));
}

describe('the manifests for Kubernetes', () => {
  const daemonSet = read('base/daemonset.yaml') as DaemonSet;
  const pod = daemonSet.spec?.template.spec;
  const containers = pod?.containers ?? [];

  test("the manifests for Kubernetes fit the API's types, which refuse unknown fields and wrong values", () => {
    const manifests = FILES.map((file) => read(file) as Manifest).filter(({ apiVersion }) => apiVersion in MODULES);
    assert.equal(manifests.length, 5);
    const text = JSON.stringify(daemonSet);
    const faulty = [text.replace('"hostPID":true', '"hostPID":"yes"'), text.replace('"volumeMounts"', '"volumeMount"')];
    const found = complaints([...manifests, ...faulty.map((each) => JSON.parse(each) as Manifest)]);
    assert.equal(found.length, faulty.length, found.join('\n'));
    assert.match(found[0] ?? '', /Type 'string' is not assignable to type 'boolean/);
    assert.match(found[1] ?? '', /"volumeMount"' does not exist in type 'Container'/);
  });

  test('each file of the manifests for Kubernetes is in a kustomization, and each that is named is there', () => {
    const kustomizations = FILES.filter((file) => file.endsWith('kustomization.yaml'));
    const named = kustomizations.flatMap((file) =>
      (read(file) as Kustomization).resources.map((resource) => join(dirname(file), resource)),
    );
    for (const path of named) assert.ok(existsSync(join(DIRECTORY, path)), path);
    const others = FILES.filter((file) => !kustomizations.includes(file));
    assert.deepEqual(
      others.filter((file) => !named.includes(file)),
      [],
    );
  });

  test('no container for Kubernetes is privileged, and each has a root that cannot be written', () => {
    for (const { name, securityContext: context } of containers) {
      assert.equal(context?.privileged, false, name);
      assert.equal(context.allowPrivilegeEscalation, false, name);
      assert.equal(context.readOnlyRootFilesystem, true, name);
      assert.deepEqual(context.capabilities?.drop, ['ALL'], name);
    }
    const added = containers.flatMap(({ securityContext }) => securityContext?.capabilities?.add ?? []);
    assert.deepEqual(added, ['DAC_READ_SEARCH']);
    const hostPaths = (pod?.volumes ?? []).flatMap(({ hostPath }) => hostPath?.path ?? []);
    assert.deepEqual(hostPaths, ['/sys/kernel/mm/ksm']);
    assert.equal(pod?.automountServiceAccountToken, false);
  });

  test('samepaged has the options that the manifests give it, and listens where the probes ask', async () => {
    const samepaged = containers.find(({ name }) => name === 'samepaged');
    assert.ok(samepaged);
    for (const option of samepaged.args?.filter((arg) => arg.startsWith('--')) ?? []) {
      assert.match(HELP, new RegExp(`^ {2}${option} `, 'm'));
    }
    const directory = await scratchDirectory('manifests');
    mkdirSync(join(directory, 'ksmtuned.conf.d'));
    const { data = {} } = read('base/configmap.yaml') as ConfigMap;
    for (const [name, text] of Object.entries(data)) writeFileSync(join(directory, 'ksmtuned.conf.d', name), text);
    const { values, warnings } = loadConfig(join(directory, 'ksmtuned.conf'), false);
    assert.deepEqual(warnings, []);
    const port = samepaged.ports?.find(({ name }) => name === 'metrics')?.containerPort;
    assert.deepEqual(values.KSM_METRICS_LISTEN, { host: '0.0.0.0', port });
    const probed = ['startupProbe', 'livenessProbe', 'readinessProbe'] as const;
    assert.deepEqual(
      probed.map((probe) => samepaged[probe]?.httpGet?.path),
      ['/live', '/live', '/ready'],
    );
  });
});
