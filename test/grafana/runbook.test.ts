/** The runbook: a heading for each alert and an alert for each heading, four parts each, and queries that can be pasted. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parser as logql } from '@grafana/lezer-logql';
import { parser as traceql } from '@grafana/lezer-traceql';
import { parser as promql } from '@prometheus-io/lezer-promql';
import { describe, expect, test } from 'vitest';
import { series } from '../../grafana/prometheus-name.ts';
import { runbookAnchor, runbookPath } from '../../grafana/rules/alert-rules.ts';
import { allAlerts, allRecords } from './rule-case.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const text = readFileSync(`${root}/${runbookPath}`, 'utf8');
const sections = text
  .split(/^## /m)
  .slice(1)
  .map((section) => ({ name: section.split('\n')[0] ?? '', body: section }));
const alertNames = [...new Set(allAlerts.map(({ alert }) => alert))];
const parsers = { promql, logql, traceql };

/** The names that PromQL may ask for: the hub's, the records, and those of the scrape and the collector. */
const known = new Set([
  ...Object.values(series),
  ...Object.values(series).flatMap((name) => [`${name}_bucket`, `${name}_sum`, `${name}_count`]),
  ...allRecords.map(({ record }) => record),
  'up',
  'otelcol_exporter_queue_size',
  'otelcol_exporter_queue_capacity',
]);

/** Names of nodes of a parsed text that satisfy a condition, with their texts. */
function nodes(language: keyof typeof parsers, query: string, wanted: (name: string, isError: boolean) => boolean) {
  const found: string[] = [];
  parsers[language].parse(query).iterate({
    enter: ({ name, type, from, to }) => {
      if (wanted(name, type.isError)) found.push(query.slice(from, to));
    },
  });
  return found;
}

/** The queries of a section, by language. */
function queries(body: string) {
  return [...body.matchAll(/^```(\w+)\n(.*?)\n```$/gms)].map(([, language, query]) => ({
    language,
    query: query ?? '',
  }));
}

describe('the runbook', () => {
  test('has one heading for each alert and none beside', () => {
    expect(sections.map(({ name }) => name).toSorted()).toEqual(alertNames.toSorted());
  });

  test('is where each alert says it is', () => {
    const anchors = sections.map(({ name }) => runbookAnchor(name));
    const linked = allAlerts.map(({ annotations }) => annotations.runbook_url.split('#')[1] ?? '');
    expect(linked.filter((anchor) => !anchors.includes(anchor))).toEqual([]);
  });

  test('leads nowhere that is not there', () => {
    const anchors = sections.map(({ name }) => `#${name.toLowerCase()}`);
    const links = [...text.matchAll(/\]\((#[^)]+)\)/g)].map(([, link]) => link ?? '');
    expect(links.filter((link) => !anchors.includes(link))).toEqual([]);
    expect(links.length).toBeGreaterThan(0);
  });

  test.each(sections)('$name has its four parts in order, and two queries', ({ body }) => {
    const parts = ['**Meaning.** ', '**Impact.** ', '**First queries.**', '**Remedy.** '].map((part) =>
      body.indexOf(part),
    );
    expect(parts.every((at) => at > 0)).toBe(true);
    expect(parts).toEqual(parts.toSorted((left, right) => left - right));
    expect(queries(body)).toHaveLength(2);
  });
});

describe('a query of the runbook', () => {
  const all = sections.flatMap(({ name, body }) =>
    queries(body).map(({ language, query }) => ({ name, language, query })),
  );

  test.each(all)('of $name parses as $language: $query', ({ language, query }) => {
    expect(Object.keys(parsers)).toContain(language);
    if (language !== 'promql' && language !== 'logql' && language !== 'traceql') return;
    expect(nodes(language, query, (_name, isError) => isError)).toEqual([]);
    if (language !== 'promql') return;
    expect(nodes('promql', query, (name) => name === 'Identifier').filter((name) => !known.has(name))).toEqual([]);
  });

  test('is found out where it does not parse or names what nobody makes', () => {
    expect(nodes('promql', 'sum by (job (up)', (_name, isError) => isError)).not.toEqual([]);
    expect(nodes('logql', '{a="b"} | c=', (_name, isError) => isError)).not.toEqual([]);
    expect(nodes('traceql', '{ span.a = }', (_name, isError) => isError)).not.toEqual([]);
    expect(nodes('promql', 'rate(hestia_nothing_total[5m])', (name) => name === 'Identifier')).toEqual([
      'hestia_nothing_total',
    ]);
  });
});
