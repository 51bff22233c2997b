/**
 * The walk from an alert to its cause, derived from the dashboards: each alert leads to a board filtered to what fired, a
 * failing call of it to its trace, and the trace to its log lines. docs/alert-to-cause.md names these clicks.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { boardUids } from '../../grafana/board-uid.ts';
import { cellLinks, filledIn, type ReadPanel, readBoards } from '../support/queries/board.ts';
import { groupedLabels, parsePromql } from '../support/queries/promql.ts';
import { parseTraceql } from '../support/queries/traceql.ts';
import { allAlerts } from './rule-case.ts';

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const boards = readBoards();

function boardOf(uid: string | undefined) {
  const board = boards.find((one) => one.uid === uid);
  if (board === undefined) throw new Error(`no such board: ${uid}`);
  return board;
}

function panelOf(uid: string, title: string): ReadPanel {
  const panel = boardOf(uid).panels.find((one) => one.title === title);
  if (panel === undefined) throw new Error(`no such panel: ${title}`);
  return panel;
}

const organizeSchema = z.object({
  renameByName: z.record(z.string(), z.string()),
  excludeByName: z.record(z.string(), z.boolean()),
});
const organized = ({ transformations }: ReadPanel) =>
  organizeSchema.parse(transformations.find(({ id }) => id === 'organize')?.options);

const alertTable = panelOf(boardUids.overview, 'Firing and pending alerts');
const failingCalls = panelOf(boardUids.tools, 'Failing calls, newest first');
const linkOf = (column: string) => cellLinks(alertTable).filter((link) => link.column === column);

describe('click 1, the name of an alert', () => {
  const [link, ...others] = linkOf('alert');
  const url = link?.url ?? '';

  test('follows its only link, so that no menu opens', () => {
    expect(url).toMatch(/^\/d\/\$\{__data\.fields\.board\}\?/);
    expect(others).toEqual([]);
    expect(alertTable.fieldConfig?.defaults.links).toBeUndefined();
  });

  test.each([...new Map(allAlerts.map((alert) => [alert.alert, alert])).values()])(
    'of $alert opens a board that exists',
    ({ labels }) => {
      expect(boardOf(labels.board).title).toMatch(/^Hestia \//);
    },
  );

  test('carries the deployment, the hub, the server and the outcome that fired, which are columns of its row', () => {
    const carried = [...url.matchAll(/var-(\w+)=\$\{__data\.fields\.(\w+):percentencode\}/g)];
    expect(carried.map(([, variable]) => variable)).toEqual(['job', 'instance', 'server', 'outcome']);
    const { renameByName, excludeByName } = organized(alertTable);
    const columns = Object.values(renameByName);
    expect(carried.filter(([, , column]) => !columns.includes(column ?? ''))).toEqual([]);
    expect(columns.filter((column) => excludeByName[column])).toEqual([]);
    const query = parsePromql(filledIn(alertTable.targets[0]?.expr ?? ''));
    expect(groupedLabels(query)).toEqual(
      expect.arrayContaining(['job', 'instance', 'hestia_server_id', 'outcome', 'board']),
    );
    const names = boardOf(boardUids.tools).templating.list.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(['job', 'instance', 'server', 'outcome']));
  });

  test('selects all where an alert has no such label', () => {
    for (const label of ['instance', 'hestia_server_id', 'outcome']) {
      expect(alertTable.targets[0]?.expr).toContain(`"${label}", "All", "${label}", ""`);
    }
  });

  test('stands beside a link to its section of the runbook', () => {
    expect(linkOf('what to do').map(({ url: address }) => address)).toEqual(['${runbook}#${__data.fields.alert}']);
    const page = read('grafana/runbook.html');
    expect(allAlerts.filter(({ alert }) => !page.includes(`id="${alert}"`))).toEqual([]);
    const runbook = boardOf(boardUids.overview).templating.list.find(({ name }) => name === 'runbook');
    expect(read('docker-compose.yml')).toContain(`/usr/share/grafana${runbook?.query}`);
  });
});

describe('click 2, a failing call', () => {
  test('is in the first panel of the board below what it answers', () => {
    const { panels } = boardOf(boardUids.tools);
    const above = panels.filter(({ type, gridPos }) => type === 'table' && gridPos.y < failingCalls.gridPos.y);
    expect(above).toEqual([]);
  });

  test('is one of those that the selection of the alert leaves, the newest first', () => {
    const text = failingCalls.targets[0]?.query ?? '';
    for (const variable of ['instance', 'server', 'outcome']) expect(text).toContain(`=~ "$${variable}"`);
    expect(text).toMatch(/with \(most_recent=true\)$/);
    expect(parseTraceql(filledIn(text)).conditions).toContainEqual({ field: 'status', operator: '=', value: 'error' });
    expect(failingCalls.options?.sortBy).toEqual([{ displayName: 'time', desc: true }]);
  });

  test('names tool, server, agent and error, and the cell that opens the trace', () => {
    const { renameByName } = organized(failingCalls);
    expect(Object.values(renameByName)).toEqual(['time', 'duration', 'tool', 'server', 'agent', 'error', 'open trace']);
    // The data source gives this field its link.
    expect(renameByName['Span ID']).toBe('open trace');
  });
});

test('clicks 3 to 5, the span, its links, and its log lines, are those of the data source', () => {
  const sources = z
    .object({ datasources: z.array(z.looseObject({ uid: z.string(), jsonData: z.record(z.string(), z.unknown()) })) })
    .parse(parse(read('grafana/provisioning/datasources/hestia.yaml')));
  const tempo = sources.datasources.find(({ uid }) => uid === 'tempo');
  expect(tempo?.jsonData.tracesToLogsV2).toMatchObject({
    datasourceUid: 'loki',
    query: expect.stringContaining('trace_id'),
  });
  // With links to metrics too, Grafana lists the links of a span below a button.
  expect(tempo?.jsonData.tracesToMetrics).toBeDefined();
});

describe('the document', () => {
  const text = read('docs/alert-to-cause.md');

  test('names five clicks', () => {
    const clicks = [...text.matchAll(/^\*\*(\d)\. /gm)].map(([, number]) => number);
    expect(clicks).toEqual(['1', '2', '3', '4', '5']);
  });

  test('names panels that exist', () => {
    for (const title of [alertTable.title, 'Outcomes by tool', failingCalls.title])
      expect(text).toContain(`*${title}*`);
  });
});
