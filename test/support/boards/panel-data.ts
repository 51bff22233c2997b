/** The data of a panel: the results of its queries in a live Prometheus, as Grafana gives them to the panel. */
import { z } from 'zod';
import type { Prometheus } from '../programs/prometheus.ts';
import type { ReadBoard, ReadPanel } from '../queries/board.ts';

/** A line of a chart: its legend, and its points in time; null where there is no value. */
export interface ChartSeries {
  name: string;
  values: (number | null)[];
}

/** The data of one panel. */
export interface PanelData {
  panel: ReadPanel;
  /** Times of the points, in Unix seconds. */
  times: number[];
  series: ChartSeries[];
  /** Cells of a table by heading; absent where a cell is empty. */
  rows: Record<string, string | number>[];
}

/** What is shown: the time range, and the values of variables. */
export interface BoardView {
  fromSeconds: number;
  toSeconds: number;
  variables: Record<string, string>;
}

const pointsMax = 120;
const matrixSchema = z.object({
  result: z.array(
    z.object({ metric: z.record(z.string(), z.string()), values: z.array(z.tuple([z.number(), z.string()])) }),
  ),
});

/** Fills in variables and intervals. Longer names first, because `$__range` begins `$__range_s`. */
export function filledFor(text: string, view: BoardView): string {
  const { fromSeconds, toSeconds, variables } = view;
  const range = Math.round(toSeconds - fromSeconds);
  const step = stepSeconds(view);
  const all = {
    __interval: `${step}s`,
    __interval_ms: `${1000 * step}`,
    __rate_interval: '15s',
    __rate_interval_ms: '15000',
    __range_s: `${range}`,
    __range: `${range}s`,
    ...variables,
  };
  return Object.entries(all)
    .sort(([one], [other]) => other.length - one.length)
    .reduce((filled, [name, value]) => filled.replaceAll(`$${name}`, value), text);
}

/** The time between two points of a chart, as Grafana derives it from the width of the panel. */
function stepSeconds({ fromSeconds, toSeconds }: BoardView): number {
  return Math.max(1, Math.ceil((toSeconds - fromSeconds) / pointsMax));
}

/** The values of the variables of a dashboard with everything selected, as Grafana inserts them. */
export async function variablesOf(
  board: ReadBoard,
  prometheus: Prometheus,
  view: BoardView,
): Promise<Record<string, string>> {
  const variables: Record<string, string> = { ...view.variables };
  for (const { name, definition = '', allValue } of board.templating.list) {
    const [, expr] = definition.match(/^query_result\((.+)\)$/) ?? [];
    if (expr !== undefined) {
      const found = await prometheus.query(filledFor(expr, { ...view, variables }), view.toSeconds);
      variables[name] = found.map(({ labels }) => labels[name]?.replaceAll(/[.+*?()|[\]{}^$\\]/g, '\\\\$&')).join('|');
    } else if (allValue !== undefined) variables[name] ??= allValue;
  }
  return variables;
}

/** Queries the data of a panel. Panels of logs and traces have none, because there is no Loki and no Tempo. */
export async function panelData(panel: ReadPanel, prometheus: Prometheus, view: BoardView): Promise<PanelData> {
  const data: PanelData = { panel, times: [], series: [], rows: [] };
  if (panel.datasource?.type !== 'prometheus') return data;
  if (panel.type === 'timeseries' || panel.type === 'heatmap')
    return { ...data, ...(await rangeOf(panel, prometheus, view)) };
  if (panel.type === 'table') return { ...data, rows: await rowsOf(panel, prometheus, view) };
  for (const { expr = '', legendFormat = '' } of panel.targets) {
    for (const { labels, value } of await prometheus.query(filledFor(expr, view), view.toSeconds)) {
      if (Number.isFinite(value)) data.series.push({ name: legend(legendFormat, labels), values: [value] });
    }
  }
  return data;
}

async function rangeOf(panel: ReadPanel, prometheus: Prometheus, view: BoardView) {
  const { fromSeconds, toSeconds } = view;
  const step = stepSeconds(view);
  const times: number[] = [];
  for (let time = fromSeconds; time <= toSeconds; time += step) times.push(time);
  const series: ChartSeries[] = [];
  for (const { expr = '', legendFormat = '' } of panel.targets) {
    const parameters = { query: filledFor(expr, view), start: `${fromSeconds}`, end: `${toSeconds}`, step: `${step}` };
    const { result } = matrixSchema.parse(await prometheus.api(`query_range?${new URLSearchParams(parameters)}`));
    for (const { metric, values } of result) {
      const points = new Map(values.map(([time, value]) => [Math.round(time - fromSeconds), Number(value)]));
      const at = (time: number) => points.get(Math.round(time - fromSeconds));
      series.push({
        name: legend(legendFormat, metric),
        values: times.map((time) => (Number.isFinite(at(time)) ? (at(time) ?? null) : null)),
      });
    }
  }
  return { times, series };
}

const organizeSchema = z.object({
  excludeByName: z.record(z.string(), z.boolean()),
  indexByName: z.record(z.string(), z.number()),
  renameByName: z.record(z.string(), z.string()),
});

/** The rows of a table, joined by their labels, with the headings and the order of the transformations. */
async function rowsOf(panel: ReadPanel, prometheus: Prometheus, view: BoardView): Promise<PanelData['rows']> {
  const organize = organizeSchema.parse(panel.transformations.find(({ id }) => id === 'organize')?.options);
  const rows = new Map<string, Record<string, string | number>>();
  for (const { expr = '', refId } of panel.targets) {
    for (const { labels, value } of await prometheus.query(filledFor(expr, view), view.toSeconds)) {
      const key = JSON.stringify(Object.entries(labels).sort());
      const row = rows.get(key) ?? { ...labels };
      row[panel.targets.length === 1 ? 'Value' : `Value #${refId}`] = value;
      rows.set(key, row);
    }
  }
  const order = Object.entries(organize.indexByName).sort(([, one], [, other]) => one - other);
  return [...rows.values()].map((row) =>
    Object.fromEntries(
      order.flatMap(([name]) => {
        const cell = row[name];
        return cell === undefined || cell === '' ? [] : [[organize.renameByName[name] ?? name, cell]];
      }),
    ),
  );
}

function legend(format: string, labels: Record<string, string>): string {
  return format.replaceAll(/\{\{(\w+)\}\}/g, (_, label: string) => labels[label] ?? '');
}
