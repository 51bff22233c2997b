/** Addresses in Grafana that pages lead to, where the configuration names it. */

/** The links. */
export interface ConsoleLinks {
  /** The board to start with; undefined without Grafana. */
  board: string | undefined;
  /** A trace; undefined without Grafana. */
  trace: (traceId: string) => string | undefined;
}

/** The data source of traces, and the board "Overview", as they are provisioned. */
const tracesUid = 'tempo';
const boardUid = 'hestia-overview';

/** Creates the links to the Grafana at this URL. */
export function createConsoleLinks(grafanaUrl: string | undefined): ConsoleLinks {
  if (grafanaUrl === undefined) return { board: undefined, trace: () => undefined };
  const base = grafanaUrl.replace(/\/+$/, '');
  return {
    board: `${base}/d/${boardUid}`,
    trace: (traceId) => {
      const datasource = { type: 'tempo', uid: tracesUid };
      const queries = [{ refId: 'A', datasource, queryType: 'traceql', query: traceId }];
      const pane = { datasource: tracesUid, queries, range: { from: 'now-1h', to: 'now' } };
      return `${base}/explore?${new URLSearchParams({ schemaVersion: '1', panes: JSON.stringify({ trace: pane }) })}`;
    },
  };
}
