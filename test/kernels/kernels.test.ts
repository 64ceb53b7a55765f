import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { formatBytes } from '../../src/core/format.js';
import { runInKernel } from '../support/kernels/boot.js';
import { KERNELS, SHORT_KERNEL, type TestKernel } from '../support/kernels/catalogue.js';
import { fixtureFiles, fixtureFaults } from '../support/kernels/fixtures.js';
import { kernelImage } from '../support/kernels/kernelImage.js';
import type { CaseFacts, CaseSpec, Plan, Report } from '../support/kernels/report.js';

// The bundle on kernels that are not this machine's, booted in QEMU without KVM. SAMEPAGED_KERNELS: names of the catalogue,
// or `all`; without it one kernel in short form, as a layer of `npm test`.

const asked = process.env['SAMEPAGED_KERNELS']?.split(/[\s,]+/).filter((name) => name !== '');
const POLICIES = ['ksmtuned', 'adaptive', 'advisor'] as const;
/** Whole huge pages: 2 MiB where a page has 4 KiB, 32 MiB where it has 16. */
const GUEST_MIB = { common: 64, unique: 16, zero: 48 };
const GUEST_MIB_OF_LARGE_PAGES = { common: 64, unique: 32, zero: 64 };
/** Nine tenths of what can be saved: two pages of three that three guests have in common, and nearly all zeros. */
const ENOUGH = { common: 0.6, zero: 0.9 };
/** The part of huge pages, where guests ask for them: of 32 MiB each a kernel that has run for a while finds a few less. */
const HUGE = 0.8;

/** So long a step may take at most where others keep the CPUs busy. */
const STEP_SECONDS = 300;

function planFor({ pageBytes, fixture }: TestKernel): Plan {
  const common = {
    guestMiB: pageBytes === 4096 ? GUEST_MIB : GUEST_MIB_OF_LARGE_PAGES,
    enough: ENOUGH,
    files: fixture === undefined ? [] : fixtureFiles(fixture),
    stepSeconds: STEP_SECONDS,
  };
  if (asked === undefined) return { ...common, cases: [{ policy: 'adaptive', hugepages: true }] };
  const cases = [false, true].flatMap((hugepages) => POLICIES.map((policy) => ({ policy, hugepages })));
  return { ...common, cases };
}

const names = asked === undefined ? [SHORT_KERNEL] : asked.includes('all') ? KERNELS.map(({ name }) => name) : asked;
for (const name of names) {
  const kernel = KERNELS.find((candidate) => candidate.name === name);
  if (kernel === undefined) {
    throw new Error(
      `SAMEPAGED_KERNELS: no kernel ${name}; there are ${KERNELS.map((each) => each.name).join(', ')}, all`,
    );
  }
  const image = await kernelImage(kernel).catch((error: unknown) => error as Error);
  if (kernel.architecture === 'amd64' && process.arch !== 'x64') {
    it(
      `kernel ${name} boots, and samepaged tunes it`,
      { skip: 'only an x86-64 machine’s Node runs in it' },
      () => undefined,
    );
  } else if (image instanceof Error)
    it(`kernel ${name} boots, and samepaged tunes it`, { skip: image.message }, () => undefined);
  else {
    describe(`kernel ${name}`, () => {
      checkKernel(kernel, image);
    });
  }
}

function checkKernel(kernel: TestKernel, image: string): void {
  const plan = planFor(kernel);
  let report: Report;

  it(`kernel ${kernel.name} boots, and everything is tried`, async () => {
    report = await runInKernel(kernel, image, plan);
    assert.equal(report.failure, undefined);
    assert.match(report.kernel?.release ?? '', kernel.release);
  });

  it(`doctor tells the truth about kernel ${kernel.name}`, () => {
    checkDoctor(kernel, report);
  });

  if (kernel.fixture !== undefined) {
    const { fixture } = kernel;
    it(`fixtures/hosts/${fixture} has the files of the KSM of kernel ${kernel.name}, and lines as the kernel's`, () => {
      assert.deepEqual(report.kernel && fixtureFaults(fixture, report.kernel), []);
    });
  }

  for (const spec of plan.cases) {
    describe(`${spec.policy}, guests ${spec.hugepages ? 'in' : 'without'} huge pages`, () => {
      checkCase(kernel, spec, () => {
        const found = report.cases.find((facts) => facts.policy === spec.policy && facts.hugepages === spec.hugepages);
        assert.ok(found, 'nothing was reported');
        return found;
      });
    });
  }
}

const FEATURES: Readonly<Record<string, string>> = {
  general_profit: 'general_profit',
  ksm_zero_pages: 'ksm_zero_pages',
  smart_scan: 'smart_scan',
  advisor: 'advisor_mode',
};

function checkDoctor({ pageBytes }: TestKernel, { kernel, doctor }: Report): void {
  assert.ok(kernel && doctor);
  const finding = (id: string) => doctor.findings.find((candidate) => candidate.id === id);
  assert.equal(finding('ksm-in-kernel')?.level, 'ok');
  const features = finding('kernel-features')?.found ?? '';
  assert.ok(features.startsWith(`${kernel.release} `), features);
  const [has = '', lacks = ''] = features.split('lacks');
  for (const [feature, file] of Object.entries(FEATURES)) {
    const side = Object.hasOwn(kernel.ksm, file) ? has : lacks;
    assert.ok(new RegExp(`\\b${feature}\\b`).test(side), `${feature}: ${features}`);
  }
  const perProcess = ['ksm_stat', 'ksm_merging_pages'].find((name) => kernel.perProcess.includes(name));
  assert.ok(perProcess === undefined || has.includes(`${perProcess} for each guest`), features);
  assert.ok(finding('page-size')?.found.startsWith(`pages of ${formatBytes(pageBytes)}`), finding('page-size')?.found);
  const problem = doctor.findings.some(({ level }) => level === 'problem');
  assert.equal(doctor.status, problem ? 1 : 0);
}

function checkCase(kernel: TestKernel, spec: CaseSpec, facts: () => CaseFacts): void {
  const subject = `${spec.policy} ${spec.hugepages ? 'in' : 'without'} huge pages on kernel ${kernel.name}`;
  if (spec.policy === 'advisor' && !kernel.hasAdvisor) {
    it(`${subject} is refused, adaptive is named, and nothing is changed`, () => {
      const { refused, before, after } = facts();
      assert.equal(refused?.status, 78);
      assert.match(refused.output, /adaptive/);
      assert.deepEqual(after.refusal, before);
    });
    return;
  }

  it(`${subject} saves pages in common and pages of zeros, and no others`, (t) => {
    const { huge = NaN, saved, seconds = NaN, log } = facts();
    const what = `${JSON.stringify(saved)} after ${seconds.toFixed()} s, ${huge.toFixed(2)} in huge pages`;
    t.diagnostic(what);
    const message = `${what}\n${log.join('\n')}`;
    assert.ok(spec.hugepages ? huge > HUGE : huge === 0, message);
    assert.ok(saved && saved.common >= ENOUGH.common && saved.zero >= ENOUGH.zero, message);
    assert.equal(saved.unique, 0, message);
  });

  it(`${subject} puts every file back at SIGTERM`, () => {
    const { status, before, after } = facts();
    assert.equal(status, 0);
    assert.deepEqual(after.sigterm, before);
  });

  it(`${subject} leaves ksmd at work after SIGKILL, and a restart puts every file back`, () => {
    const { killedRun, before, after } = facts();
    assert.equal(killedRun, '1');
    assert.deepEqual(after.restart, before);
  });
}
