import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cpSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { parseAllDocuments, stringify } from 'yaml';
import { eventually } from '../support/daemon.js';
import { Tools } from '../support/fleet/tools.js';
import { writeBlob } from '../support/kvm/guest.js';
import { resetKsm, restoreKsm, saveKsm } from '../support/kvm/ksm.js';
import { removeScratch, scratchDirectory } from '../support/scratch.js';

const execFileAsync = promisify(execFile);

const KSM = '/sys/kernel/mm/ksm';
const COMMON_MIB = 64;
const CONTAINER = 'samepaged-pod-samepaged';
const SETTINGS = 'KSM_POLICY=ksmtuned\nKSM_WHEN=always\nKSM_NPAGES_MIN=1250\n';

interface Manifest {
  readonly kind: string;
  data?: Record<string, string>;
  spec?: { template: { spec: { containers: Record<string, unknown>[] } } };
}

const scratch = await scratchDirectory('image');
after(() => removeScratch(scratch));
await execFileAsync('deploy/kubernetes/image.sh', [scratch], { maxBuffer: 2 ** 26 });
const image = join(scratch, readdirSync(scratch).find((name) => name.endsWith('.oci.tar')) ?? '');
const version = /samepaged_(.*)_.*\.oci\.tar$/.exec(image)?.[1] ?? '';
const copy = join(scratch, 'ksm');
cpSync('fixtures/hosts/kernel-6.12/sys/kernel/mm/ksm', copy, { recursive: true });

/** What podman lacks without systemd (probes) and without a memory controller (resources) is left out. */
function playable(rendered: string): string {
  const manifests = parseAllDocuments(rendered).map((document) => document.toJS() as Manifest);
  const wanted = manifests.filter(({ kind }) => ['ConfigMap', 'DaemonSet'].includes(kind));
  for (const { data, spec } of wanted) {
    if (data !== undefined) data['50-site.conf'] = SETTINGS;
    for (const container of spec?.template.spec.containers ?? []) {
      for (const key of ['startupProbe', 'livenessProbe', 'readinessProbe', 'resources']) {
        Reflect.deleteProperty(container, key);
      }
      Object.assign(container, { image: `localhost/${String(container['image'])}`, imagePullPolicy: 'Never' });
    }
  }
  return wanted.map((manifest) => stringify(manifest)).join('---\n');
}

/** A pod as KubeVirt makes one, with a QEMU whose memory is filled. */
function virtLauncher(namespace: string, name: string): string {
  const machine = '-S -M pc -accel tcg -m 128 -nodefaults -display none';
  return stringify({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: `virt-launcher-${namespace}-${name}` },
    spec: {
      restartPolicy: 'Never',
      securityContext: { runAsUser: 107 },
      containers: [
        {
          name: 'compute',
          image: `localhost/samepaged:${version}`,
          imagePullPolicy: 'Never',
          command: [
            ...['/usr/bin/qemu-system-x86_64', '-name', `guest=${namespace}_${name},debug-threads=on`],
            ...machine.split(' '),
            ...['-chardev', 'socket,id=c,path=/var/run/kubevirt-private/virt-serial0,server=on,wait=off'],
            ...['-device', 'loader,file=/srv/common,addr=0x1000000,force-raw=on'],
          ],
          volumeMounts: [
            { name: 'usr', mountPath: '/usr', readOnly: true },
            { name: 'srv', mountPath: '/srv', readOnly: true },
            { name: 'private', mountPath: '/var/run/kubevirt-private' },
          ],
        },
      ],
      volumes: [
        { name: 'usr', hostPath: { path: '/usr' } },
        { name: 'srv', hostPath: { path: '/srv' } },
        { name: 'private', emptyDir: {} },
      ],
    },
  });
}

/** A node with two guests and, when it resolves, the DaemonSet's pod. */
async function node(ksm?: string) {
  const tools = await Tools.start(ksm === undefined ? {} : { ksm });
  const inPod = (...args: readonly string[]) => tools.run('podman', 'exec', CONTAINER, ...args);
  const ask = async (path: string) => {
    const script = `fetch('http://127.0.0.1:9870/${path}').then(async (r) => console.log(r.status, await r.text()))`;
    return (await inPod('node', '-e', script)).trim();
  };
  try {
    await tools.copy(image, '/tmp/image.tar');
    await tools.run('podman', 'load', '--quiet', '--input', '/tmp/image.tar');
    await writeBlob(tools.path('/srv/common'), 'common', COMMON_MIB);
    for (const namespace of ['team-a', 'team-b']) {
      await tools.write(`/root/${namespace}.yaml`, virtLauncher(namespace, 'web'));
      await tools.run('podman', 'kube', 'play', '--network=none', `/root/${namespace}.yaml`);
    }
    await tools.copy('deploy/kubernetes', '/root/kubernetes');
    const rendered = await tools.run('kubectl', 'kustomize', '/root/kubernetes/overlays/kubevirt');
    await tools.write('/root/samepaged.yaml', playable(rendered));
    return {
      tools,
      inPod,
      ask,
      /** Starts the DaemonSet's pod. */
      play: async () => {
        await tools.run('podman', 'kube', 'play', '--network=none', '/root/samepaged.yaml');
        await eventually(() =>
          ask('live').then(
            (text) => text === '200 ok',
            () => false,
          ),
        );
      },
      log: () => tools.run('podman', 'logs', CONTAINER),
      [Symbol.asyncDispose]: () => tools[Symbol.asyncDispose](),
    };
  } catch (error) {
    await tools[Symbol.asyncDispose]();
    throw error;
  }
}

describe("the DaemonSet on a copy of a kernel's files", () => {
  test('the DaemonSet tunes KSM with one capability and a root that it cannot write, and gives KSM back', async () => {
    const before = readFileSync(join(copy, 'pages_to_scan'), 'utf8');
    await using pod = await node(copy);
    const { tools, inPod, ask, play, log } = pod;
    await play();
    await eventually(async () => (await ask('ready')) === '200 ok');
    const guests = await eventually(() => inPod('samepagectl', 'guests').catch(() => undefined));
    for (const name of ['team-a/web', 'team-b/web']) assert.ok(guests.includes(name), guests);
    assert.equal(readFileSync(join(copy, 'pages_to_scan'), 'utf8').trim(), '1250');

    const pid = (await tools.run('podman', 'inspect', '--format', '{{.State.Pid}}', CONTAINER)).trim();
    const status = await tools.run('cat', `/proc/${pid}/status`);
    for (const set of ['CapEff', 'CapPrm', 'CapBnd']) assert.match(status, new RegExp(`^${set}:\\t0{15}4$`, 'm'));
    assert.match(status, /^NoNewPrivs:\t1$/m);
    await assert.rejects(inPod('node', '-e', "fs.writeFileSync('/x', '')"), /EROFS/);

    // The volume of the ConfigMap, as podman makes it.
    const volume = await tools.run('podman', 'volume', 'inspect', '--format', '{{.Mountpoint}}', 'samepaged');
    writeFileSync(
      tools.path(`${volume.trim()}/50-site.conf`),
      SETTINGS.replace('1250', '900') + 'KSM_NPAGES_MAX=900\n',
    );
    await eventually(async () => (await log()).includes('configuration reloaded'));
    await eventually(() => readFileSync(join(copy, 'pages_to_scan'), 'utf8').trim() === '900');

    await tools.run('podman', 'stop', '--time', '20', CONTAINER);
    assert.equal(readFileSync(join(copy, 'pages_to_scan'), 'utf8'), before);
  });

  test('the DaemonSet stands by while ksmtuned runs on the node, and takes over when it has ended', async () => {
    await using pod = await node(copy);
    const { tools, ask, play, log } = pod;
    await tools.write('/usr/sbin/ksmtuned', '#!/bin/bash\nwhile :; do sleep 1; done\n');
    await tools.run('bash', '-c', 'bash /usr/sbin/ksmtuned >/dev/null 2>&1 & echo $! >/tmp/ksmtuned');
    await play();
    assert.match(await ask('ready'), /^503 ksmtuned \(pid \d+\) tunes KSM on this host$/);
    assert.match(await ask('metrics'), /^samepaged_standing_by 1$/m);
    await tools.run('bash', '-c', 'kill $(cat /tmp/ksmtuned)');
    await eventually(async () => (await log()).includes('takes over'));
    await eventually(async () => (await ask('ready').catch(String)) === '200 ok');
  });
});

test("the DaemonSet on this kernel's KSM merges what guests of two pods have in common", async () => {
  const saved = await saveKsm();
  try {
    await resetKsm();
    await using pod = await node();
    const { tools, inPod, play } = pod;
    await play();
    const sharing = () => Number(readFileSync(join(KSM, 'pages_sharing'), 'utf8'));
    await eventually(
      () => sharing() >= COMMON_MIB * 256,
      () => `pages_sharing is ${sharing()}`,
    );
    const table = await inPod('samepagectl', 'guests');
    assert.match(table, /team-a\/web/);
    await tools.run('podman', 'stop', '--time', '20', CONTAINER);
    assert.equal(readFileSync(join(KSM, 'run'), 'utf8').trim(), '0');
  } finally {
    await restoreKsm(saved);
  }
});
