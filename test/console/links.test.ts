/** The links of the console to Grafana: what they open. */
import { expect, test } from 'vitest';
import { boardUids } from '../../grafana/board-uid.ts';
import { createConsoleLinks } from '../../src/console/links.ts';

test('a trace is opened by its id, in the provisioned data source', () => {
  const { trace } = createConsoleLinks('https://grafana.example/');
  const url = new URL(trace('0af7651916cd43dd8448eb211c80319c') ?? '');
  expect(`${url.origin}${url.pathname}`).toBe('https://grafana.example/explore');
  expect(JSON.parse(url.searchParams.get('panes') ?? '')).toMatchObject({
    trace: { datasource: 'tempo', queries: [{ queryType: 'traceql', query: '0af7651916cd43dd8448eb211c80319c' }] },
  });
});

test('the board is the one to start with', () => {
  expect(createConsoleLinks('https://grafana.example').board).toBe(`https://grafana.example/d/${boardUids.overview}`);
});

test('there are none without Grafana', () => {
  const { board, trace } = createConsoleLinks(undefined);
  expect([board, trace('0af7651916cd43dd8448eb211c80319c')]).toEqual([undefined, undefined]);
});
