/** Checks each query of dashboards and documents: it parses, and it uses only names and units that the hub emits. */
import { describe, expect, test } from 'vitest';
import { units as panelUnits } from '../../grafana/dashboards/panel.ts';
import { labels } from '../../grafana/prometheus-name.ts';
import { monitoringEventSchema, outcomeSchema, securityEventSchema } from '../../src/shapes/event.ts';
import { attributes } from '../../src/telemetry/names.ts';
import { boardQueries, filledIn, readBoards } from '../support/queries/board.ts';
import { documentQueries } from '../support/queries/document-queries.ts';
import { parseLogql } from '../support/queries/logql.ts';
import {
  countersRead,
  type Dimension,
  dimensionOf,
  groupedLabels,
  operations,
  parsePromql,
  selectors,
} from '../support/queries/promql.ts';
import { parseTraceql } from '../support/queries/traceql.ts';
import { emittedAttributes, emittedFields } from '../support/telemetry/emitted-names.ts';
import { catalogue } from '../support/telemetry/metric-catalogue.ts';

const boards = readBoards();
const queries = boardQueries(boards).map((query) => ({ ...query, place: `${query.board}: ${query.panel}` }));
const promql = queries.filter(({ store }) => store === 'prometheus');
const documents = ['grafana/runbook.md', 'docs/alert-to-cause.md'].flatMap(documentQueries);
const asked = [...queries, ...documents.map(({ text, ...query }) => ({ ...query, filled: text }))];
const logql = asked.filter(({ store }) => store === 'loki');
const traceql = asked.filter(({ store }) => store === 'tempo');

/** Closed lists of the values of labels, fields and attributes. */
const closedLists: Readonly<Record<string, readonly string[]>> = {
  [labels.securityEvent]: securityEventSchema.options,
  [attributes.monitoringEvent]: monitoringEventSchema.options,
  [labels.outcome]: outcomeSchema.options,
  outcome: outcomeSchema.options,
  [attributes.outcome]: outcomeSchema.options,
};

/** The alternatives of a pattern such as `A|B.+` that match no value of the closed list; none if the name has no list. */
function unknownValues(name: string, pattern: string): string[] {
  const list = closedLists[name];
  if (list === undefined || pattern === '' || pattern === 'nil') return [];
  return pattern.split('|').filter((part) => !list.some((value) => new RegExp(`^(?:${part})$`).test(value)));
}

describe('queries of PromQL', () => {
  test.each(promql)('$place parses: $filled', ({ filled }) => {
    expect(selectors(parsePromql(filled)).length).toBeGreaterThan(0);
  });

  // Queries of the runbook may use series that begin with a failure. They have a separate test.
  const named = [
    ...promql,
    ...documents.filter(({ place, store }) => store === 'prometheus' && place.startsWith('docs/')),
  ].map(({ place, text }) => ({ place, filled: filledIn(text) }));
  test.each(named)('$place uses existing series and labels: $filled', ({ filled }) => {
    const query = parsePromql(filled);
    const found = selectors(query);
    expect(found.filter(({ metric }) => !catalogue.has(metric))).toEqual([]);
    const known = found.map(({ metric }) => catalogue.get(metric) ?? []);
    for (const [at, { matchers }] of found.entries()) {
      expect(matchers.filter(({ label }) => !known[at]?.includes(label))).toEqual([]);
      expect(matchers.flatMap(({ label, value }) => unknownValues(label, value))).toEqual([]);
    }
    expect(groupedLabels(query).filter((label) => !known.some((own) => own.includes(label)))).toEqual([]);
  });

  const units: Readonly<Record<Dimension, readonly string[]>> = {
    count: ['locale'],
    number: ['locale'],
    'count/s': Object.values(panelUnits).filter((unit) => unit.endsWith('/s')),
    // The time since a Unix time, which is in milliseconds.
    seconds: ['s', panelUnits.since],
    ratio: ['percentunit'],
    bytes: ['bytes'],
    'bytes/s': [],
    mixed: [],
  };
  test.each(promql.filter(({ unit }) => unit !== undefined))(
    '$place draws $unit: $filled',
    ({ filled, unit, kind }) => {
      const dimension = dimensionOf(parsePromql(filled));
      // The cells of a heatmap are counts. Its axis has the unit of the bucket bounds.
      expect(units[kind === 'heatmap' ? boundsOf(filled) : dimension], dimension).toContain(unit);
    },
  );

  test.each(promql)('$place uses counters only as a rate or an increase: $filled', ({ filled }) => {
    const query = parsePromql(filled);
    const counters = selectors(query).filter(({ metric }) =>
      /_(total|bucket|count|sum)$|^instance_failure:/.test(metric),
    );
    if (counters.length === 0) return;
    expect(
      countersRead(query).filter(({ how }) => !/^(rate|increase|resets|last_over_time|offset)$/.test(how)),
    ).toEqual([]);
    expect(operations(query)).toContain('sum');
  });

  test('use an interval that fits the scrape interval and the zoom, never a fixed one', () => {
    const ranges = promql.flatMap(({ place, text }) =>
      [...text.matchAll(/\[([^\]]+)\]/g)].map(([, range]) => [place, range]),
    );
    expect(ranges.length).toBeGreaterThan(30);
    expect(
      ranges.filter(([, range]) => !['$__interval', '$__rate_interval', '$__range'].includes(range ?? '')),
    ).toEqual([]);
  });

  test('filter the series of hubs by the selected hubs', () => {
    const open = promql.filter(({ kind, filled }) => {
      const ofHubs = selectors(parsePromql(filled)).filter(
        ({ metric }) =>
          !/^(otelcol_|up$|scrape_|ALERTS|process_uptime)|^(job|job_server|instance_failure):/.test(metric),
      );
      return (
        kind !== 'annotation' && ofHubs.some(({ matchers }) => !matchers.some(({ label }) => label === 'instance'))
      );
    });
    expect(open).toEqual([]);
  });
});

describe('the variables of boards', () => {
  const definitions = boards.flatMap(({ uid, templating }) =>
    templating.list.flatMap(({ name, definition }) => (definition === undefined ? [] : [{ uid, name, definition }])),
  );

  const ofLabels = definitions.filter(({ definition }) => definition.startsWith('label_values'));
  test.each(ofLabels)('$uid: $name takes its values from an existing label', ({ definition }) => {
    const [, selector, label] = definition.match(/^label_values\((.+), (\w+)\)$/) ?? [];
    const [found] = selectors(parsePromql(filledIn(selector ?? '')));
    const known = catalogue.get(found?.metric ?? '') ?? [];
    expect(known).toContain(label);
    expect(found?.matchers.filter((matcher) => !known.includes(matcher.label))).toEqual([]);
  });
});

test('the variables of hubs take their values from a query that leaves out fault drills', () => {
  const definitions = boards.flatMap(({ templating }) => templating.list.map(({ definition = '' }) => definition));
  const ofResults = definitions.filter((definition) => definition.startsWith('query_result'));
  expect(ofResults.length).toBe(2 * boards.length);
  for (const definition of ofResults) {
    const [, expr = ''] = definition.match(/^query_result\((.+)\)$/) ?? [];
    const found = selectors(parsePromql(filledIn(expr)));
    expect(found.filter(({ metric }) => !catalogue.has(metric))).toEqual([]);
    expect(found.at(-1)).toMatchObject({
      metric: 'target_info',
      matchers: [{ label: 'deployment_environment_name', value: 'drill' }],
    });
  }
});

test('the documents contain queries in each language', () => {
  expect(Object.keys(Object.groupBy(documents, ({ store }) => store)).sort()).toEqual(['loki', 'prometheus', 'tempo']);
  expect(documents.length).toBeGreaterThan(50);
});

describe('queries of LogQL', () => {
  test.each(logql)('$place parses and uses fields of log records: $filled', ({ filled }) => {
    const { streamLabels, fields, stages } = parseLogql(filled);
    expect(streamLabels).toEqual(['service_name']);
    expect(fields.filter((field) => !emittedFields.has(field))).toEqual([]);
    expect(stages.flat().flatMap(({ field, value }) => unknownValues(field, value))).toEqual([]);
  });
});

describe('queries of TraceQL', () => {
  test.each(traceql)('$place parses and uses attributes of spans: $filled', ({ filled }) => {
    const query = parseTraceql(filled);
    expect(query.attributes.filter((name) => !emittedAttributes.has(name))).toEqual([]);
    expect(query.conditions.flatMap(({ field, value }) => unknownValues(field.replace(/^span\./, ''), value))).toEqual(
      [],
    );
  });
});

function boundsOf(text: string): Dimension {
  const [selector] = selectors(parsePromql(text));
  return dimensionOf(parsePromql(selector?.metric.replace(/_bucket$/, '') ?? ''));
}
