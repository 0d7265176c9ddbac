/** What is written about the configuration is what the schemas say; the examples work. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { readNodeConfig } from '../../src/config/config.ts';
import { NetworkFile, NodeFile } from '../../src/config/schema.ts';

const ROOT = join(import.meta.dirname, '../../../..');

interface Schema {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
}

/** `limits.bodyBytes`, `requesters[].name`, ... in order. */
function fieldsOf({ properties, items }: Schema, path = ''): string[] {
  if (items?.properties) return fieldsOf(items, `${path}[]`);
  if (!properties) return [path];
  return Object.entries(properties).flatMap(([name, field]) => fieldsOf(field, path === '' ? name : `${path}.${name}`));
}

/** A schema is JSON; its TypeScript type says more than this test asks. */
const plain = (schema: object): Schema => JSON.parse(JSON.stringify(schema));

test('docs/configuration.md lists exactly the fields of both files', () => {
  const page = readFileSync(join(ROOT, 'docs/configuration.md'), 'utf8');
  const listed = [...page.matchAll(/^\| `([\w.[\]]+)` \|/gm)].map(([, field]) => field);
  expect(listed).toEqual([...fieldsOf(plain(NodeFile)), ...fieldsOf(plain(NetworkFile))]);
});

test('the example configuration is valid and uses every field', () => {
  const file = join(ROOT, 'configs/node.toml');
  expect(readNodeConfig(file)).toMatchObject({ party: 1, network: { roster: { n: 4, t: 1 } } });
  const text = readFileSync(file, 'utf8');
  const unused = fieldsOf(plain(NodeFile)).filter(
    (field) =>
      !text.includes(
        field
          .split('.')
          .at(-1)!
          .replace(/.*\[\]/, ''),
      ),
  );
  expect(unused).toEqual([]);
});

/** Of nodes and coordinators, in the order of the page. */
function listedMetrics(): string[] {
  const page = readFileSync(join(ROOT, 'docs/metrics.md'), 'utf8');
  const rows = page.split('\n').filter((line) => line.startsWith('| `'));
  return rows.flatMap((row) => [...row.matchAll(/`(keyquorum_[a-z_]+)`/g)].map(([, name = '']) => name));
}

test('docs/metrics.md lists exactly the metrics of a node, besides those of a coordinator', async () => {
  const source = readFileSync(join(ROOT, 'packages/node/src/daemon/metrics.ts'), 'utf8');
  const registered = [...source.matchAll(/'(keyquorum_[a-z_]+[a-z])'/g)].map(([, name]) => name);
  const ofNodes = listedMetrics().filter((name) => !name.startsWith('keyquorum_coordinator_'));
  expect(ofNodes.sort()).toEqual(registered.sort());
});

interface AlertRules {
  readonly groups: readonly {
    readonly rules: readonly {
      readonly alert: string;
      readonly expr: string;
      readonly labels: { readonly severity: string };
      readonly annotations: { readonly summary: string; readonly section: string };
    }[];
  }[];
}

test('alarms are about metrics that exist, and name what operators can read', () => {
  const { groups }: AlertRules = parse(readFileSync(join(ROOT, 'configs/prometheus-alerts.yml'), 'utf8'));
  const rules = groups.flatMap((group) => group.rules);
  expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length);
  const metrics = listedMetrics();
  const pages = readFileSync(join(ROOT, 'docs/operators.md'), 'utf8');
  for (const { alert, expr, labels, annotations } of rules) {
    const used = [...expr.matchAll(/keyquorum_[a-z_]+/g)].map(([name]) => name.replace(/_bucket$/, ''));
    expect([alert, used.length > 0, used.filter((name) => !metrics.includes(name))]).toEqual([alert, true, []]);
    expect([alert, pages.includes(annotations.section)]).toEqual([alert, true]);
    expect([alert, labels.severity]).toEqual([alert, expect.stringMatching(/^(page|warn)$/)]);
  }
});
