/** List panels: log lines from Loki, traces from Tempo, and tables from Prometheus or Loki. */
import {
  LogsDedupStrategy,
  LogsSortOrder,
  TableCellHeight,
  TableSortByFieldStateBuilder,
} from '@grafana/grafana-foundation-sdk/common';
import {
  type DashboardLinkBuilder,
  type DataTransformerConfig,
  MappingType,
  type ValueMapping,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { PanelBuilder as LogsPanelBuilder } from '@grafana/grafana-foundation-sdk/logs';
import { DataqueryBuilder as LogQueryBuilder, LokiQueryDirection } from '@grafana/grafana-foundation-sdk/loki';
import { PromQueryFormat } from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder as TablePanelBuilder } from '@grafana/grafana-foundation-sdk/table';
import { SearchTableType, DataqueryBuilder as TraceQueryBuilder } from '@grafana/grafana-foundation-sdk/tempo';
import { type Colour, meaning } from './colour.ts';
import { type BoardPanel, dataSources, type PanelSize, type PanelText, steps, type Unit } from './panel.ts';
import { instantQuery, refId } from './panel-chart.ts';

/** Maximum lines of a log panel, and maximum traces of a trace panel. */
const linesMax = 200;
const tracesMax = 30;

/** Options of list panels. */
export interface ListOptions extends PanelText {
  noValue: string;
  size?: Partial<PanelSize>;
}

/** Creates a panel of log lines, newest first. The data source links `trace_id` to the trace. */
export function logPanel(options: ListOptions & { query: string }): BoardPanel {
  return new LogsPanelBuilder()
    .title(options.title)
    .description(options.description)
    .datasource(dataSources.loki)
    .unit('short')
    .noValue(options.noValue)
    .showTime(true)
    .wrapLogMessage(true)
    .enableLogDetails(true)
    .showLogContextToggle(true)
    .sortOrder(LogsSortOrder.Descending)
    .dedupStrategy(LogsDedupStrategy.None)
    .span(options.size?.width ?? 12)
    .height(options.size?.height ?? 9)
    .withTarget(
      new LogQueryBuilder()
        .refId(refId(0))
        .datasource(dataSources.loki)
        .queryType('range')
        .direction(LokiQueryDirection.Backward)
        .expr(options.query)
        .maxLines(linesMax),
    );
}

/** Creates a panel of matching spans, newest first, with the selected attributes. Each row links to its trace. */
export function tracePanel(options: ListOptions & { query: string }): BoardPanel {
  return new TablePanelBuilder()
    .title(options.title)
    .description(options.description)
    .datasource(dataSources.tempo)
    .unit('short')
    .noValue(options.noValue)
    .cellHeight(TableCellHeight.Sm)
    .overrideByName('Duration', [{ id: 'unit', value: 'ns' }])
    .span(options.size?.width ?? 12)
    .height(options.size?.height ?? 9)
    .withTarget(
      new TraceQueryBuilder()
        .refId(refId(0))
        .datasource(dataSources.tempo)
        .queryType('traceql')
        .query(options.query)
        .limit(tracesMax)
        .tableType(SearchTableType.Spans),
    );
}

/** A column of a value table: a query whose label sets are the rows. */
export interface TableColumn {
  title: string;
  expr: string;
  unit: Unit;
  colour?: Colour;
}

/**
 * Creates a table with a row for each combination of the labels in `rows`, and a column for each query. `store` is the data
 * source: Loki for values that must not be labels of a metric.
 */
export function tablePanel(
  options: ListOptions & {
    store?: 'prometheus' | 'loki';
    /** Column headings by label, in order. */
    rows: Readonly<Record<string, string>>;
    columns: readonly TableColumn[];
    sortBy: string;
    /** Colours of cells by text. */
    colours?: Readonly<Record<string, Colour>>;
    links?: readonly DashboardLinkBuilder[];
  },
): BoardPanel {
  const store = options.store ?? 'prometheus';
  const panel = new TablePanelBuilder()
    .title(options.title)
    .description(options.description)
    .datasource(dataSources[store])
    .unit('short')
    .decimals(0)
    .noValue(options.noValue)
    .thresholds(steps(meaning.neutral))
    .cellHeight(TableCellHeight.Sm)
    .sortBy([new TableSortByFieldStateBuilder().displayName(options.sortBy).desc(true)])
    .span(options.size?.width ?? 12)
    .height(options.size?.height ?? 9);
  for (const [at, { expr, title, unit, colour }] of options.columns.entries()) {
    panel.withTarget(
      store === 'loki' ? countQuery(expr, at) : instantQuery({ expr, legend: '' }, at).format(PromQueryFormat.Table),
    );
    panel.overrideByName(title, [
      { id: 'unit', value: unit },
      ...(unit === 'short' ? [] : [{ id: 'decimals', value: 2 }]),
      ...(colour === undefined
        ? []
        : [
            { id: 'color', value: { mode: 'fixed', fixedColor: colour } },
            { id: 'custom.cellOptions', value: { type: 'color-text' } },
          ]),
    ]);
  }
  if (options.colours) panel.mappings([colourMapping(options.colours)]);
  for (const change of columnsOf(options)) panel.withTransformation(change);
  if (options.links) panel.dataLinks([...options.links]);
  return panel;
}

function colourMapping(colours: Readonly<Record<string, Colour>>): ValueMapping {
  const options = Object.entries(colours).map(([text, color], index) => [text, { color, index }]);
  return { type: MappingType.ValueToText, options: Object.fromEntries(options) };
}

function countQuery(expr: string, at: number): LogQueryBuilder {
  return new LogQueryBuilder()
    .refId(refId(at))
    .datasource(dataSources.loki)
    .queryType('instant')
    .expr(expr)
    .legendFormat('');
}

/** Transformations that join the query results by their labels, order the columns, and set headings. */
function columnsOf(options: {
  rows: Readonly<Record<string, string>>;
  columns: readonly TableColumn[];
}): DataTransformerConfig[] {
  const valueName = (at: number) => (options.columns.length === 1 ? 'Value' : `Value #${refId(at)}`);
  const names = [...Object.keys(options.rows), ...options.columns.map((_, at) => valueName(at))];
  const headings = {
    ...options.rows,
    ...Object.fromEntries(options.columns.map(({ title }, at) => [valueName(at), title])),
  };
  return [
    { id: 'merge', options: {} },
    {
      id: 'organize',
      options: {
        excludeByName: { Time: true },
        indexByName: Object.fromEntries(names.map((name, at) => [name, at])),
        renameByName: headings,
      },
    },
  ];
}
