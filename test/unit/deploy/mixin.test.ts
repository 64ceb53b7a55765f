import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parser } from '@prometheus-io/lezer-promql';
import { alerts } from '../../../deploy/prometheus/generate/alerts.js';
import { MIXIN_DIRECTORY, RUNBOOKS_URL, mixin } from '../../../deploy/prometheus/generate/mixin.js';
import { RULES } from '../../../deploy/prometheus/generate/rules.js';
import { DEFAULTS, THRESHOLDS, parseThresholds } from '../../../deploy/prometheus/generate/thresholds.js';
import { families } from '../../../src/metrics/families.js';
import { everything } from '../../support/examples/metricsFacts.js';
import { HostTree } from '../../support/hostTree.js';
import { type Dashboard, asAsked, queriesOf } from '../../support/dashboards.js';

const MADE = mixin({ thresholds: DEFAULTS, runbooksUrl: RUNBOOKS_URL });
const DASHBOARDS = Object.entries(MADE)
  .filter(([name]) => name.endsWith('.json'))
  .map(([name, text]) => [name, JSON.parse(text) as Dashboard] as const);
const ALERTS = alerts(DEFAULTS);

/** Every expression, by where it is. */
const EXPRESSIONS: readonly (readonly [where: string, expr: string])[] = [
  ...RULES.map(({ record, expr }) => [record, expr] as const),
  ...Object.entries(ALERTS).map(([name, { expr }]) => [name, expr] as const),
  ...DASHBOARDS.flatMap(([name, board]) =>
    queriesOf(board).map(({ panel, expr }) => [`${name}: ${panel}`, expr] as const),
  ),
];

describe('the mixin that is checked in', () => {
  for (const [name, text] of Object.entries(MADE)) {
    it(`${name} of the mixin is what the sources make now`, () => {
      assert.equal(readFileSync(join(MIXIN_DIRECTORY, name), 'utf8'), text, 'run npm run mixin');
    });
  }
});

describe('an expression of the mixin', () => {
  it('every expression of the mixin is PromQL', () => {
    for (const [where, expr] of EXPRESSIONS) assert.deepEqual(errorsOf(asAsked(expr)), [], `${where}: ${expr}`);
    assert.notDeepEqual(errorsOf('rate(samepaged_up[5m)'), [], 'a mistake is seen');
  });

  it('every expression of the mixin names only metrics that samepaged has, and rules that the mixin has', () => {
    const known = new Set([
      'samepaged_event_to_applied_seconds_bucket',
      ...families(everything()).map(({ name }) => name),
      ...RULES.map(({ record }) => record),
    ]);
    for (const [where, expr] of EXPRESSIONS) {
      for (const [name] of expr.matchAll(/\b(?:instance:)?samepaged_[\w:]+/g))
        assert.ok(known.has(name), `${where}: ${name}`);
    }
  });
});

describe('the dashboards', () => {
  it('the dashboards have no datasource of their own', () => {
    for (const [name, { templating, panels }] of DASHBOARDS) {
      const [first, ...rest] = templating.list;
      assert.deepEqual([first?.name, first?.type], ['datasource', 'datasource'], name);
      assert.deepEqual(
        rest.map((variable) => variable.name),
        ['job', 'instance'],
        name,
      );
      for (const { datasource } of [...rest, ...panels.filter(({ type }) => type !== 'row')]) {
        assert.deepEqual(datasource, { type: 'prometheus', uid: '${datasource}' }, name);
      }
    }
  });

  it('the dashboards have panels that do not overlap and fit into 24 columns', () => {
    for (const [name, { panels }] of DASHBOARDS) {
      const taken = new Set<string>();
      for (const {
        title,
        gridPos: { x, y, w, h },
      } of panels) {
        assert.ok(x + w <= 24, `${name}: ${title}`);
        for (let cell = 0; cell < w * h; cell += 1) {
          const place = `${x + (cell % w)},${y + Math.floor(cell / w)}`;
          assert.ok(!taken.has(place), `${name}: ${title} lies on another panel`);
          taken.add(place);
        }
      }
    }
  });
});

it('each alert has a runbook, and each runbook an alert', () => {
  assert.deepEqual(
    readdirSync('docs/runbooks').sort(),
    Object.keys(ALERTS)
      .map((name) => `${name}.md`)
      .sort(),
  );
});

it('docs/metrics.md lists the alerts and thresholds as they are; UPDATE_GOLDEN=1 writes the lists', () => {
  const alertRows = Object.entries(ALERTS).map(
    ([name, { minutes, summary }]) =>
      `| [${name}](runbooks/${name}.md) | ${summary.replace(' {{ $labels.instance }}', ' a host')} | ${minutes} min |`,
  );
  const thresholdRows = Object.entries(THRESHOLDS).map(
    ([name, { value, least, most, help }]) => `| \`${name}\` | ${value} | ${least} to ${most} | ${help} |`,
  );
  const file = 'docs/metrics.md';
  const text = readFileSync(file, 'utf8');
  const listed = withRows(withRows(text, '| alert', alertRows), '| threshold', thresholdRows);
  if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(file, listed);
  else assert.equal(squeezed(text), squeezed(listed));
});

describe('thresholds', () => {
  const rows: readonly (readonly [text: string, message: string])[] = [
    ['{"burstMinutes": 99999}', 't.json: burstMinutes is 99999: expected a number from 0 to 10080'],
    ['{"headroomPercent": "ten"}', 't.json: headroomPercent is "ten": expected a number from -100 to 100'],
    ['{"starvedPercent": null}', 't.json: starvedPercent is null: expected a number from 1 to 100'],
    ['{"burst": 1}', `t.json: there is no burst: expected one of ${Object.keys(THRESHOLDS).join(', ')}`],
    ['[]', 't.json: expected JSON as {"burstMinutes": 60}: []'],
  ];
  for (const [text, message] of rows) {
    it(`the thresholds ${text} are refused`, () => {
      assert.throws(() => parseThresholds(text, 't.json'), { message });
    });
  }

  it('thresholds that are not JSON are refused in one line', () => {
    assert.throws(
      () => parseThresholds('{\n', 't.json'),
      /^Error: t\.json: expected JSON as \{"burstMinutes": 60\}: .+$/,
    );
  });

  it('thresholds replace the defaults by name', () => {
    assert.deepEqual(parseThresholds('{"burstMinutes": 60}', ''), { ...DEFAULTS, burstMinutes: 60 });
  });
});

it('npm run mixin says in one line what is wrong, and then writes nothing', () => {
  using tree = HostTree.create();
  const main = fileURLToPath(new URL('../../../deploy/prometheus/generate/main.js', import.meta.url));
  const file = join(tree.root, 'thresholds.json');
  const output = join(tree.root, 'output');
  const run = (...args: readonly string[]) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [main, '--output', output, ...args], {
      encoding: 'utf8',
    });
    return { status, stdout, stderr };
  };
  writeFileSync(file, '{"lossMinutes": -1}');
  assert.deepEqual(run('--thresholds', file), {
    status: 64,
    stdout: '',
    stderr: `mixin: ${file}: lossMinutes is -1: expected a number from 0 to 10080; nothing is written\n`,
  });
  assert.equal(run('--threshold', file).status, 64);
  assert.equal(existsSync(output), false);

  writeFileSync(file, '{"lossMinutes": 7}');
  assert.equal(run('--thresholds', file, '--runbooks', 'https://wiki.example/ksm/').status, 0);
  const text = readFileSync(join(output, 'samepaged-alerts.yml'), 'utf8');
  assert.match(text, /SamepagedMergingAtALoss\n.*\n +for: 7m\n/);
  assert.match(text, / runbook_url: https:\/\/wiki\.example\/ksm\/SamepagedNoHeadroom\.md\n/);
});

function errorsOf(expr: string): readonly string[] {
  const errors: string[] = [];
  parser.parse(expr).iterate({
    enter: ({ type, from, to }) => {
      if (type.isError) errors.push(`at ${from}: ${expr.slice(from, to)}`);
    },
  });
  return errors;
}

/** `text` with these rows in the table whose first line begins with `head`. */
function withRows(text: string, head: string, rows: readonly string[]): string {
  const [before = '', , after = ''] = splitTable(text, head);
  const [heading = '', rule = ''] = (splitTable(text, head)[1] ?? '').split('\n');
  return `${before}${[heading, rule, ...rows].join('\n')}\n${after}`;
}

function splitTable(text: string, head: string): readonly string[] {
  const begin = text.indexOf(`\n${head}`) + 1;
  assert.notEqual(begin, 0, head);
  const end = text.indexOf('\n\n', begin) + 1 || text.length;
  return [text.slice(0, begin), text.slice(begin, end), text.slice(end)];
}

function squeezed(text: string): string {
  return text.replaceAll(/ +\|/g, ' |').replaceAll(/\| -+/g, '| -');
}
