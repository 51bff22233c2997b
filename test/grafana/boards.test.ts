/** Checks of the dashboards: the rules of Grafana's dashboard-linter, questions, colours, and links. */
import { describe, expect, test } from 'vitest';
import { boardUids } from '../../grafana/board-uid.ts';
import { outcomeColours, securityEventColours } from '../../grafana/dashboards/colour.ts';
import { outcomeSchema, securityEventSchema } from '../../src/shapes/event.ts';
import { boardQueries, cellLinks, type ReadBoard, type ReadPanel, readBoards } from '../support/queries/board.ts';
import { allAlerts } from './rule-case.ts';

const boards = readBoards();
const panels = boards.flatMap((board) => board.panels.map((panel) => ({ board: board.uid, panel })));
const drawn = panels.filter(({ panel }) => panel.type !== 'row' && panel.type !== 'text');

/** Names of the panels that violate a rule, with their dashboard. */
function breaking(rule: (panel: ReadPanel) => boolean): string[] {
  return drawn.filter(({ panel }) => !rule(panel)).map(({ board, panel }) => `${board}: ${panel.title}`);
}

describe('the set of boards', () => {
  test('consists of the six documented dashboards, each with a title and a description', () => {
    expect(boards.map(({ uid }) => uid).sort()).toEqual(Object.values(boardUids).sort());
    expect(new Set(boards.map(({ title }) => title)).size).toBe(boards.length);
    expect(boards.filter(({ title, description }) => !title.startsWith('Hestia / ') || description === '')).toEqual([]);
  });

  test('uses the schema of provisioned files, read-only, with a shared crosshair', () => {
    expect(boards.map(({ schemaVersion, editable, graphTooltip }) => [schemaVersion, editable, graphTooltip])).toEqual(
      boards.map(() => [42, false, 1]),
    );
  });

  test('is connected by a link bar that keeps the time range and the variables', () => {
    for (const { links, tags } of boards) {
      expect(links).toMatchObject([{ type: 'dashboards', keepTime: true, includeVars: true }]);
      expect(tags).toEqual(links[0]?.tags);
    }
  });
});

describe('the variables of each board', () => {
  test('select the data sources, with the name that linters expect for Prometheus', () => {
    for (const { templating } of boards) {
      const sources = templating.list.filter(({ type }) => type === 'datasource');
      expect(sources.map(({ name, query }) => [name, query])).toEqual([
        ['datasource', 'prometheus'],
        ['loki', 'loki'],
        ['tempo', 'tempo'],
      ]);
      expect(sources[0]?.label).toBe('Data source');
    }
  });

  test('can all be selected at once, and are refreshed when the time range changes', () => {
    for (const { templating } of boards) {
      const queries = templating.list.filter(({ type }) => type === 'query');
      expect(queries.map(({ name }) => name)).toEqual(expect.arrayContaining(['job', 'instance']));
      expect(queries.filter(({ multi, refresh }) => !multi || refresh !== 2)).toEqual([]);
      // Without a value for "all", Grafana inserts the listed values, and fault drills are not listed.
      const withoutAll = queries.filter(({ allValue }) => allValue !== '.+').map(({ name }) => name);
      expect(withoutAll).toEqual(['job', 'instance']);
    }
  });

  test('are exactly the variables in use', () => {
    const wellKnown = /^(__|data$)/;
    for (const board of boards) {
      const { templating, ...rest } = board;
      const text = JSON.stringify([rest, templating.list.map(({ definition }) => definition), dataSourceUids]);
      const used = new Set([...text.matchAll(/\$\{?(\w+)/g)].map(([, name]) => name ?? ''));
      const named = templating.list.map(({ name }) => name);
      expect([...used].filter((name) => !wellKnown.test(name) && !named.includes(name))).toEqual([]);
      expect(named.filter((name) => !used.has(name) && !usedForExplore.has(name))).toEqual([]);
    }
  });

  const dataSourceUids = ['${datasource}'];
  /** A dashboard without logs, traces or alerts has their variables too, so that links keep the selection. */
  const usedForExplore = new Set(['loki', 'tempo', 'runbook']);
});

describe('each panel', () => {
  test('has a title that is unique on its dashboard', () => {
    for (const board of boards) {
      const titles = board.panels.filter(({ type }) => type !== 'text').map(({ title }) => title);
      expect(titles.filter((title, at) => title === '' || titles.indexOf(title) !== at)).toEqual([]);
    }
  });

  test('states the question that it answers', () => {
    expect(breaking(({ description }) => /^[^?]+\?/.test(description ?? ''))).toEqual([]);
  });

  test('has a unit, and a text for the case without data', () => {
    expect(breaking(({ fieldConfig }) => Boolean(fieldConfig?.defaults.unit))).toEqual([]);
    expect(breaking(({ fieldConfig }) => Boolean(fieldConfig?.defaults.noValue))).toEqual([]);
  });

  test('queries a data source that a variable selects', () => {
    const chosen = ['${datasource}', '${loki}', '${tempo}'];
    expect(breaking(({ datasource }) => chosen.includes(datasource?.uid ?? ''))).toEqual([]);
    expect(
      breaking(
        ({ datasource, targets }) =>
          targets.length > 0 && targets.every((target) => target.datasource.uid === datasource?.uid),
      ),
    ).toEqual([]);
  });

  test('has a unique id, and queries with unique reference ids', () => {
    for (const board of boards) {
      const ids = board.panels.map(({ id }) => id);
      expect(new Set(ids).size).toBe(ids.length);
    }
    expect(breaking(({ targets }) => new Set(targets.map(({ refId }) => refId)).size === targets.length)).toEqual([]);
  });

  test('is on the grid and overlaps no other panel', () => {
    for (const board of boards) expect(overlaps(board)).toEqual([]);
    expect(breaking(({ gridPos: { x, w } }) => x + w <= 24)).toEqual([]);
  });

  test('fills its row together with its neighbours', () => {
    for (const { uid, panels } of boards) {
      const widths = Map.groupBy(panels, ({ gridPos }) => gridPos.y);
      for (const [y, line] of widths) {
        expect(
          line.reduce((sum, { gridPos }) => sum + gridPos.w, 0),
          `${uid} at ${y}`,
        ).toBe(24);
        expect(new Set(line.map(({ gridPos }) => gridPos.h)).size, `${uid} at ${y}`).toBe(1);
      }
    }
  });

  test('is of a kind that cuts no words, as the narrow parts of a state timeline do', () => {
    const kinds = ['bargauge', 'heatmap', 'logs', 'stat', 'table', 'timeseries'];
    expect(new Set(drawn.map(({ panel }) => panel.type))).toEqual(new Set(kinds));
  });

  test('of a table leaves empty cells empty: its text is for an empty table', () => {
    const tables = drawn.filter(({ panel }) => panel.type === 'table');
    expect(tables.length).toBeGreaterThan(5);
    for (const { panel } of tables) {
      const everywhere = panel.fieldConfig?.overrides.filter(({ matcher }) => matcher.options === '.*') ?? [];
      const properties = everywhere.flatMap((override) => override.properties);
      expect(properties, panel.title).toContainEqual({ id: 'noValue', value: '' });
    }
  });

  test('of spans asks for the newest, chooses its columns, and has the newest first', () => {
    const tables = drawn.filter(({ panel }) => panel.datasource?.type === 'tempo');
    expect(tables.length).toBeGreaterThan(4);
    for (const { panel } of tables) {
      expect(panel.targets[0]?.query, panel.title).toMatch(/ \| select\(name, .+\) with \(most_recent=true\)$/);
      expect(panel.options?.sortBy, panel.title).toEqual([{ displayName: 'time', desc: true }]);
    }
  });

  test('of alerts has critical ones first: it sorts their severities as text', () => {
    const found = drawn.find(({ panel }) => panel.title === 'Firing and pending alerts');
    expect(found?.panel.options?.sortBy).toEqual([{ displayName: 'severity', desc: false }]);
    expect([...new Set(allAlerts.map(({ labels }) => labels.severity))].toSorted()).toEqual(['critical', 'warning']);
  });

  test('of time series shows a readable legend, and all values in its tooltip', () => {
    const charts = drawn.filter(({ panel }) => panel.type === 'timeseries');
    expect(charts.length).toBeGreaterThan(20);
    for (const { panel } of charts) {
      expect(panel.options).toMatchObject({ legend: { showLegend: true }, tooltip: { mode: 'multi' } });
      expect(panel.targets.filter(({ legendFormat }) => !legendFormat)).toEqual([]);
    }
  });
});

describe('the links of panels', () => {
  const urls = drawn.flatMap(({ panel }) => [
    ...(panel.fieldConfig?.defaults.links?.map(({ url }) => url) ?? []),
    ...cellLinks(panel).map(({ url }) => url),
  ]);

  test('lead to existing dashboards', () => {
    const uids = urls
      .filter((url) => url.startsWith('/d/') && !url.includes('fields.board'))
      .map((url) => url.slice(3).split('?')[0]);
    expect(uids.length).toBeGreaterThan(4);
    expect(uids.filter((uid) => !boards.some((board) => board.uid === uid))).toEqual([]);
  });

  test('keep the time range, and set variables that the dashboard has', () => {
    for (const url of urls.filter((one) => one.startsWith('/d/') && !one.includes('fields.board'))) {
      expect(url).toContain('${__url_time_range}');
      const board = boards.find(({ uid }) => url.startsWith(`/d/${uid}?`));
      const names = board?.templating.list.map(({ name }) => name) ?? [];
      const set = [...url.matchAll(/&var-(\w+)=|\$\{(\w+):queryparam\}/g)].map(([, one, other]) => one ?? other);
      expect(set.filter((name) => !names.includes(name ?? ''))).toEqual([]);
    }
  });
});

describe('colours', () => {
  /** The colour of a series of this name on a dashboard; undefined if it has none. */
  function coloursOf(name: string): string[] {
    return drawn.flatMap(({ panel }) =>
      (panel.fieldConfig?.overrides ?? [])
        .filter(({ matcher }) => matcher.options === name)
        .flatMap(({ properties }) => properties.filter(({ id }) => id === 'color').map(({ value }) => fixed(value))),
    );
  }

  test.each(outcomeSchema.options)('of %s are the same on every panel', (outcome) => {
    expect(coloursOf(outcome).length).toBeGreaterThan(2);
    expect(new Set(coloursOf(outcome))).toEqual(new Set([outcomeColours[outcome]]));
  });

  test('of lines without one of their own follow the order of the palette: by name, some would be nearly white', () => {
    const charts = drawn.filter(({ panel }) => panel.type === 'timeseries');
    const modes = charts.map(({ panel }) => panel.fieldConfig?.defaults.color?.mode);
    expect(new Set(modes)).toEqual(new Set(['palette-classic']));
  });

  test('are never nearly white', () => {
    const given = drawn.flatMap(({ panel }) =>
      (panel.fieldConfig?.overrides ?? []).flatMap(({ properties }) =>
        properties.filter(({ id }) => id === 'color').map(({ value }) => fixed(value)),
      ),
    );
    expect(given.length).toBeGreaterThan(20);
    expect(given.filter((colour) => /^(super-light|white|text)/.test(colour))).toEqual([]);
  });

  test('of security events exist for each, and distinguish them', () => {
    expect(securityEventSchema.options.filter((name) => coloursOf(name).length === 0)).toEqual([]);
    const given = Object.values(securityEventColours);
    expect(new Set(given).size).toBe(given.length);
  });
});

describe('queries', () => {
  const queries = boardQueries(boards);

  test('are unique on each panel', () => {
    const keys = queries.map(({ board, panel, text }) => `${board}: ${panel}: ${text}`);
    expect(keys.filter((key, at) => keys.indexOf(key) !== at)).toEqual([]);
  });

  test('request exemplars if the series has any', () => {
    const withExemplars = drawn.filter(({ panel }) => panel.targets.some(({ exemplar }) => exemplar));
    expect(withExemplars.length).toBeGreaterThan(0);
    expect(withExemplars.filter(({ panel }) => !JSON.stringify(panel.targets).includes('traces_span_metrics'))).toEqual(
      [],
    );
  });
});

function fixed(value: unknown): string {
  return typeof value === 'object' && value !== null && 'fixedColor' in value ? String(value.fixedColor) : '';
}

/** Pairs of panels that overlap on the grid. */
function overlaps({ panels: all }: ReadBoard): string[] {
  return all.flatMap((one, at) =>
    all
      .slice(at + 1)
      .filter(({ gridPos: other }) => {
        const { x, y, w, h } = one.gridPos;
        return x < other.x + other.w && other.x < x + w && y < other.y + other.h && other.y < y + h;
      })
      .map((other) => `${one.title} on ${other.title}`),
  );
}
