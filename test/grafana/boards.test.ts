/** The boards as Grafana's dashboard-linter would look at them, and what it would not: questions, colours, links that lead somewhere. */
import { describe, expect, test } from 'vitest';
import { boardUids } from '../../grafana/dashboards/board.ts';
import { outcomeColours, securityEventColours } from '../../grafana/dashboards/colour.ts';
import { outcomeSchema, securityEventSchema } from '../../src/shapes/event.ts';
import { boardQueries, type ReadBoard, type ReadPanel, readBoards } from '../support/queries/board.ts';

const boards = readBoards();
const panels = boards.flatMap((board) => board.panels.map((panel) => ({ board: board.uid, panel })));
const drawn = panels.filter(({ panel }) => panel.type !== 'row');

/** Names of the panels that break a rule, with their board. */
function breaking(rule: (panel: ReadPanel) => boolean): string[] {
  return drawn.filter(({ panel }) => !rule(panel)).map(({ board, panel }) => `${board}: ${panel.title}`);
}

describe('the set of boards', () => {
  test('is the six that are named, each with its title and description', () => {
    expect(boards.map(({ uid }) => uid).sort()).toEqual(Object.values(boardUids).sort());
    expect(new Set(boards.map(({ title }) => title)).size).toBe(boards.length);
    expect(boards.filter(({ title, description }) => !title.startsWith('Hestia / ') || description === '')).toEqual([]);
  });

  test('is in the schema that Grafana takes from files, not to be edited there, with a shared crosshair', () => {
    expect(boards.map(({ schemaVersion, editable, graphTooltip }) => [schemaVersion, editable, graphTooltip])).toEqual(
      boards.map(() => [42, false, 1]),
    );
  });

  test('is joined by a bar of links that keeps time and choices', () => {
    for (const { links, tags } of boards) {
      expect(links).toMatchObject([{ type: 'dashboards', keepTime: true, includeVars: true }]);
      expect(tags).toEqual(links[0]?.tags);
    }
  });
});

describe('the variables of each board', () => {
  test('choose the data sources, the Prometheus one by the name that linters know', () => {
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

  test('can all be chosen at once, and are asked for again when the time shown changes', () => {
    for (const { templating } of boards) {
      const queries = templating.list.filter(({ type }) => type === 'query');
      expect(queries.map(({ name }) => name)).toContain('instance');
      expect(queries.filter(({ multi, allValue, refresh }) => !multi || allValue !== '.+' || refresh !== 2)).toEqual(
        [],
      );
    }
  });

  test('are all used, and no other is', () => {
    const wellKnown = /^(__|data$)/;
    for (const board of boards) {
      const { templating, ...rest } = board;
      const text = JSON.stringify([rest, templating.list.map(({ definition }) => definition)]);
      const used = new Set([...text.matchAll(/\$\{?(\w+)/g)].map(([, name]) => name ?? ''));
      const named = templating.list.map(({ name }) => name);
      expect([...used].filter((name) => !wellKnown.test(name) && !named.includes(name))).toEqual([]);
      expect(named.filter((name) => !used.has(name) && !usedForExplore.has(name))).toEqual([]);
    }
  });

  /** A board without logs or traces has their data sources all the same, so that the choice goes from board to board. */
  const usedForExplore = new Set(['loki', 'tempo']);
});

describe('each panel', () => {
  test('has a title that is alone on its board', () => {
    for (const board of boards) {
      const titles = board.panels.map(({ title }) => title);
      expect(titles.filter((title, at) => title === '' || titles.indexOf(title) !== at)).toEqual([]);
    }
  });

  test('says which question it answers', () => {
    expect(breaking(({ description }) => /^[^?]+\?/.test(description ?? ''))).toEqual([]);
  });

  test('has a unit, and words for the case that there is nothing to show', () => {
    expect(breaking(({ fieldConfig }) => Boolean(fieldConfig?.defaults.unit))).toEqual([]);
    expect(breaking(({ fieldConfig }) => Boolean(fieldConfig?.defaults.noValue))).toEqual([]);
  });

  test('asks a data source that the board lets its reader choose', () => {
    const chosen = ['${datasource}', '${loki}', '${tempo}'];
    expect(breaking(({ datasource }) => chosen.includes(datasource?.uid ?? ''))).toEqual([]);
    expect(
      breaking(
        ({ datasource, targets }) =>
          targets.length > 0 && targets.every((target) => target.datasource.uid === datasource?.uid),
      ),
    ).toEqual([]);
  });

  test('has an id of its own, and queries with letters of their own', () => {
    for (const board of boards) {
      const ids = board.panels.map(({ id }) => id);
      expect(new Set(ids).size).toBe(ids.length);
    }
    expect(breaking(({ targets }) => new Set(targets.map(({ refId }) => refId)).size === targets.length)).toEqual([]);
  });

  test('lies on the grid and on no other', () => {
    for (const board of boards) expect(overlaps(board)).toEqual([]);
    expect(breaking(({ gridPos: { x, w } }) => x + w <= 24)).toEqual([]);
  });

  test('fills its line together with its neighbours', () => {
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

  test('of values over time shows a legend that can be read and all values at the pointer', () => {
    const charts = drawn.filter(({ panel }) => panel.type === 'timeseries');
    expect(charts.length).toBeGreaterThan(20);
    for (const { panel } of charts) {
      expect(panel.options).toMatchObject({ legend: { showLegend: true }, tooltip: { mode: 'multi' } });
      expect(panel.targets.filter(({ legendFormat }) => !legendFormat)).toEqual([]);
    }
  });
});

describe('the links of panels', () => {
  const urls = drawn.flatMap(({ panel }) => panel.fieldConfig?.defaults.links?.map(({ url }) => url) ?? []);

  test('lead to boards that there are', () => {
    const uids = urls.filter((url) => url.startsWith('/d/')).map((url) => url.slice(3).split('?')[0]);
    expect(uids.length).toBeGreaterThan(4);
    expect(uids.filter((uid) => !boards.some((board) => board.uid === uid))).toEqual([]);
  });

  test('keep the time shown, and set variables that the board has', () => {
    for (const url of urls.filter((one) => one.startsWith('/d/'))) {
      expect(url).toContain('${__url_time_range}');
      const board = boards.find(({ uid }) => url.startsWith(`/d/${uid}?`));
      const names = board?.templating.list.map(({ name }) => name) ?? [];
      const set = [...url.matchAll(/&var-(\w+)=|\$\{(\w+):queryparam\}/g)].map(([, one, other]) => one ?? other);
      expect(set.filter((name) => !names.includes(name ?? ''))).toEqual([]);
    }
  });
});

describe('colours', () => {
  /** The colour that a board gives to a series of this name; undefined where it gives none. */
  function coloursOf(name: string): string[] {
    return drawn.flatMap(({ panel }) =>
      (panel.fieldConfig?.overrides ?? [])
        .filter(({ matcher }) => matcher.options === name)
        .flatMap(({ properties }) => properties.filter(({ id }) => id === 'color').map(({ value }) => fixed(value))),
    );
  }

  test.each(outcomeSchema.options)('of %s are the same wherever it is drawn', (outcome) => {
    expect(coloursOf(outcome).length).toBeGreaterThan(2);
    expect(new Set(coloursOf(outcome))).toEqual(new Set([outcomeColours[outcome]]));
  });

  test('of security events are given to each, and tell them apart', () => {
    expect(securityEventSchema.options.filter((name) => coloursOf(name).length === 0)).toEqual([]);
    const given = Object.values(securityEventColours);
    expect(new Set(given).size).toBe(given.length);
  });
});

describe('queries', () => {
  const queries = boardQueries(boards);

  test('are none twice on one panel', () => {
    const keys = queries.map(({ board, panel, text }) => `${board}: ${panel}: ${text}`);
    expect(keys.filter((key, at) => keys.indexOf(key) !== at)).toEqual([]);
  });

  test('ask for exemplars where there are any', () => {
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

/** Pairs of panels that share a field of the grid. */
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
