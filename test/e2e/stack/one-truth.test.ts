/**
 * Boards, alerts and the truth count alike, also where a series is born with its first event: failures on a fresh hub before
 * its first export, and a tool that is first called on a hub that has run for longer than the window.
 */
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { allAlerts } from '../../grafana/rule-case.ts';
import { startWatchedHub, type WatchedHub } from '../../support/hub/hub-watched.ts';
import { describeWith } from '../../support/programs/requirements.ts';
import { boardQueries, filledIn, readBoards } from '../../support/queries/board.ts';
import { supportServer } from '../../support/servers/support-server.ts';

const queries = boardQueries(readBoards());
const poll = { timeout: 90_000, interval: 500 };
const slow = { timeout: 300_000 };
const truth = { successes: 3, timeouts: 12, errors: 6, wrongKeys: 25 };
const laterErrors = 4;

/** The query of a panel; in a table, that of a column, from 0. */
function boardQuery(board: string, panel: string, column = 0): string {
  const found = queries.filter((query) => query.board === board && query.panel === panel)[column];
  if (found === undefined) throw new Error(`no such panel: ${panel}`);
  return found.text;
}

describeWith(['otelcol', 'prometheus'], 'failures on a fresh hub', () => {
  let watched: WatchedHub;
  beforeAll(async () => {
    watched = await startWatchedHub(
      { faulty: supportServer('faulty-server.ts') },
      // Rare, so that every series of these failures is born with a value.
      { environment: { OTEL_METRIC_EXPORT_INTERVAL: '3000' } },
    );
    const { hub } = watched;
    const call = (tool: string, json: object) => hub.fetch(`/v1/tools/faulty/${tool}/call`, { json });
    const times = <Result>(count: number, work: () => Promise<Result>) =>
      Promise.all(Array.from({ length: count }, work));
    const headers = { authorization: 'Bearer hst_no-such-key' };
    await Promise.all([
      times(truth.timeouts, () => call('hang', { timeoutMs: 50 })),
      times(truth.errors, () => call('rpc_error', {})),
      times(truth.successes, () => call('pid', {})),
      times(truth.wrongKeys, () => hub.fetch('/v1/skills', { headers })),
    ]);
  }, 120_000);
  afterAll(() => watched?.[Symbol.asyncDispose]());

  /** The single value of a query; undefined without one. */
  async function value(query: string): Promise<number | undefined> {
    const samples = await watched.prometheus.query(query);
    expect(samples.length, query).toBeLessThan(2);
    return samples[0]?.value;
  }

  /** The number that makes an alert fire, summed over its series. */
  function alertQuery(name: string): string {
    return `sum(${allAlerts.find(({ alert }) => alert === name)?.expr})`;
  }

  const calls = truth.timeouts + truth.errors + truth.successes;
  test.each([
    ['hestia-tools', 'Calls', calls],
    ['hestia-tools', 'Timeouts', truth.timeouts],
    ['hestia-tools', 'Errors', truth.errors],
    ['hestia-tools', 'Abandoned', 0],
    ['hestia-tools', 'Success', truth.successes / calls],
    ['hestia-overview', 'Calls that succeed', truth.successes / calls],
    ['hestia-skills-security', 'Wrong keys', truth.wrongKeys],
  ])('are on the board %s, panel %s, as they were: %d', slow, async (board, panel, expected) => {
    const query = filledIn(boardQuery(board, panel));
    await vi.waitFor(async () => expect(await value(query)).toBe(expected), poll);
  });

  const failed = { timeout: truth.timeouts, error: truth.errors };
  const byType = { timeout: truth.timeouts, upstream_error: truth.errors };
  test.each([
    ['hestia-overview', 'Calls by outcome', 'hestia_outcome', { success: truth.successes, ...failed }],
    ['hestia-tools', 'Calls by outcome', 'hestia_outcome', { success: truth.successes, ...failed }],
    ['hestia-tools', 'Errors by type', 'error_type', byType],
    ['hestia-overview', 'HTTP requests by status', 'http_response_status_code', { 401: truth.wrongKeys }],
    ['hestia-skills-security', 'Security events by name', 'security_event', { AUTH_FAILED: truth.wrongKeys }],
  ])(
    'are in the chart of the board %s, panel %s, with the events that its lines begin with',
    slow,
    async (board, panel, label, expected) => {
      // An interval in which all of them are.
      const chart = filledIn(boardQuery(board, panel), { intervalSeconds: 3600 });
      const events = chart.endsWith(' / (3600000 / 1000)') ? `round(3600 * (${chart}))` : chart;
      await vi.waitFor(async () => {
        const lines = await watched.prometheus.query(events);
        expect(Object.fromEntries(lines.map((line) => [line.labels[label], line.value]))).toMatchObject(expected);
      }, poll);
    },
  );

  test('are in the table of tools by tool and outcome, without a row for what did not happen', slow, async () => {
    const failed = filledIn(boardQuery('hestia-tools', 'Outcomes by tool'));
    await vi.waitFor(async () => {
      const rows = await watched.prometheus.query(failed);
      expect(Object.fromEntries(rows.map((row) => [row.labels.gen_ai_tool_name, row.value]))).toEqual({
        hang: truth.timeouts,
        rpc_error: truth.errors,
      });
    }, poll);
  });

  test.each([
    ['HestiaToolTimeouts', truth.timeouts],
    ['HestiaAuthenticationFailures', truth.wrongKeys],
  ])('are what the alert %s counts: %d', slow, async (name, expected) => {
    await vi.waitFor(async () => expect(await value(alertQuery(name))).toBe(expected), poll);
  });

  test('spend the error budget by their exact share', slow, async () => {
    const query = filledIn(boardQuery('hestia-overview', 'Availability, 30 days'));
    const isBad = truth.timeouts + truth.errors;
    await vi.waitFor(async () => expect(await value(query)).toBeCloseTo(1 - isBad / calls, 5), poll);
    expect(await value(filledIn(boardQuery('hestia-overview', 'Availability: budget left')))).toBe(0);
  });

  test('of a tool that is called for the first time later are counted from the first one', slow, async () => {
    const seconds = 20;
    const inWindow = (query: string) =>
      filledIn(query.replaceAll('$__range_s', `${seconds}`).replaceAll('$__range', `${seconds}s`));
    const errors = inWindow(boardQuery('hestia-tools', 'Errors'));
    const timeouts = inWindow(boardQuery('hestia-tools', 'Timeouts'));
    // All earlier failures are outside of the window, and the hub existed when it began.
    await vi.waitFor(async () => {
      expect(await value(`max(process_uptime_seconds offset ${seconds}s)`)).toBeGreaterThan(0);
      expect([await value(errors), await value(timeouts)]).toEqual([0, 0]);
    }, poll);
    for (let times = 0; times < laterErrors; times += 1) {
      await watched.hub.fetch('/v1/tools/faulty/bad_shape/call', { json: {} });
    }
    await vi.waitFor(async () => expect([await value(errors), await value(timeouts)]).toEqual([laterErrors, 0]), {
      ...poll,
      interval: 250,
    });
  });
});
