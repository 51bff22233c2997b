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
  type DynamicConfigValue,
  MappingType,
  type ValueMapping,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { PanelBuilder as LogsPanelBuilder } from '@grafana/grafana-foundation-sdk/logs';
import { DataqueryBuilder as LogQueryBuilder, LokiQueryDirection } from '@grafana/grafana-foundation-sdk/loki';
import { PromQueryFormat } from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder as TablePanelBuilder } from '@grafana/grafana-foundation-sdk/table';
import { SearchTableType, DataqueryBuilder as TraceQueryBuilder } from '@grafana/grafana-foundation-sdk/tempo';
import { type Colour, meaning } from './colour.ts';
import {
  type BoardPanel,
  dataSources,
  fixedColour,
  type PanelSize,
  type PanelText,
  steps,
  type Unit,
  units,
} from './panel.ts';
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

/** A column of a trace table: the name that Grafana gives the field, its heading, and its width in pixels. */
export interface TraceColumn {
  field: string;
  title: string;
  width?: number;
}

/** The columns that every trace table has: when, how long, and the link that opens the trace. */
const spanColumns = {
  time: { field: 'Start time', title: 'time', width: 170 },
  duration: { field: 'Duration', title: 'duration', width: 90 },
  trace: { field: 'Span ID', title: 'open trace', width: 150 },
} as const satisfies Record<string, TraceColumn>;

/** Fields of a table of spans that are shown only if they are among the columns. */
const spanFields = ['Trace Service', 'Trace Name', 'Name'];

/** A column for an attribute of the span, such as `error.type`. */
export function attributeColumn(attribute: string, title: string, width?: number): TraceColumn {
  return { field: attribute, title, ...(width !== undefined && { width }) };
}

/** The column with the name of the span. */
export const nameColumn: TraceColumn = { field: 'Name', title: 'operation' };
/** The column with the name of the root span: the request of the caller. */
export const rootColumn: TraceColumn = { field: 'Trace Name', title: 'request' };

/** Creates a table of the newest spans that match, newest first. `where` is the condition of the spans. */
export function tracePanel(options: ListOptions & { where: string; columns: readonly TraceColumn[] }): BoardPanel {
  const columns = [spanColumns.time, spanColumns.duration, ...options.columns, spanColumns.trace];
  const attributes = options.columns
    .filter(({ field }) => !spanFields.includes(field))
    .map(({ field }) => `span.${field}`);
  const panel = new TablePanelBuilder()
    .title(options.title)
    .description(options.description)
    .datasource(dataSources.tempo)
    .unit('string')
    .noValue(options.noValue)
    .cellHeight(TableCellHeight.Sm)
    .sortBy([new TableSortByFieldStateBuilder().displayName(spanColumns.time.title).desc(true)])
    .overrideByRegexp('.*', [emptyCell])
    .overrideByName(spanColumns.duration.title, [{ id: 'unit', value: 'ns' }])
    .overrideByName(spanColumns.time.title, [{ id: 'unit', value: 'dateTimeAsIso' }])
    .span(options.size?.width ?? 12)
    .height(options.size?.height ?? 9)
    .withTarget(
      new TraceQueryBuilder()
        .refId(refId(0))
        .datasource(dataSources.tempo)
        .queryType('traceql')
        // Without the hint, Tempo returns any of the spans that match, and not the newest.
        .query(`{ ${options.where} } | select(${['name', ...attributes].join(', ')}) with (most_recent=true)`)
        .limit(tracesMax)
        .tableType(SearchTableType.Spans),
    );
  for (const { title, width } of columns) {
    if (width !== undefined) panel.overrideByName(title, [{ id: 'custom.width', value: width }]);
  }
  const hidden = ['traceIdHidden', ...spanFields.filter((field) => columns.every((column) => column.field !== field))];
  return panel.withTransformation({
    id: 'organize',
    options: {
      excludeByName: Object.fromEntries(hidden.map((field) => [field, true])),
      indexByName: Object.fromEntries(columns.map(({ field }, at) => [field, at])),
      renameByName: Object.fromEntries(columns.map(({ field, title }) => [field, title])),
    },
  });
}

/** Hides a column. Grafana before 12.2 reads the first property, later ones the second. */
const hiddenColumn: readonly DynamicConfigValue[] = [
  { id: 'custom.hidden', value: true },
  { id: 'custom.hideFrom.viz', value: true },
];

/** Without it, every empty cell of a table shows the text for an empty table. */
const emptyCell = { id: 'noValue', value: '' };

/** A column of a value table: a query whose label sets are the rows. */
export interface TableColumn {
  title: string;
  expr: string;
  unit: Unit;
  colour?: Colour;
  /** In pixels. */
  width?: number;
}

/** A column of labels: its heading, its width in pixels, and the link of its cells. */
export interface LabelColumn {
  title: string;
  width?: number;
  link?: DashboardLinkBuilder;
  /** Whether the column is there for links only. */
  isHidden?: boolean;
}

/** Options of {@link tablePanel}. */
export interface TableOptions extends ListOptions {
  /** The data source: Loki for values that must not be labels of a metric. */
  store?: 'prometheus' | 'loki';
  /** Columns by label, in order. */
  rows: Readonly<Record<string, LabelColumn>>;
  columns: readonly TableColumn[];
  /** The heading of the column to sort by: descending for a value, ascending for a label. */
  sortBy: string;
  /** Colours of the cells of the column to sort by, by text. */
  colours?: Readonly<Record<string, Colour>>;
  /** Labels whose columns come after the values instead of before. */
  last?: readonly string[];
}

/** Creates a table with a row for each combination of the labels in `rows`, and a column for each query. */
export function tablePanel(options: TableOptions): BoardPanel {
  const store = options.store ?? 'prometheus';
  const isValue = options.columns.some(({ title }) => title === options.sortBy);
  const panel = new TablePanelBuilder()
    .title(options.title)
    .description(options.description)
    .datasource(dataSources[store])
    .unit(units.count)
    .decimals(0)
    .noValue(options.noValue)
    .thresholds(steps(meaning.neutral))
    .cellHeight(TableCellHeight.Sm)
    .sortBy([new TableSortByFieldStateBuilder().displayName(options.sortBy).desc(isValue)])
    .span(options.size?.width ?? 12)
    .height(options.size?.height ?? 9);
  for (const [at, column] of options.columns.entries()) {
    const { expr } = column;
    panel.withTarget(
      store === 'loki' ? countQuery(expr, at) : instantQuery({ expr, legend: '' }, at).format(PromQueryFormat.Table),
    );
    panel.overrideByName(column.title, valueProperties(column));
  }
  for (const { title, width, link, isHidden } of Object.values(options.rows)) {
    panel.overrideByName(title, [
      ...(isHidden === true ? hiddenColumn : []),
      ...(width === undefined ? [] : [{ id: 'custom.width', value: width }]),
      ...(link === undefined ? [] : [{ id: 'links', value: [link.build()] }]),
    ]);
  }
  panel.overrideByRegexp('.*', [emptyCell]);
  if (options.colours) {
    panel.mappings([colourMapping(options.colours)]);
    panel.overrideByName(options.sortBy, [
      { id: 'custom.cellOptions', value: { type: 'color-background', mode: 'basic' } },
    ]);
  }
  for (const change of columnsOf(options)) panel.withTransformation(change);
  return panel;
}

function valueProperties({ unit, colour, width }: TableColumn): DynamicConfigValue[] {
  return [
    { id: 'unit', value: unit },
    ...(unit === units.count ? [] : [{ id: 'decimals', value: 2 }]),
    ...(width === undefined ? [] : [{ id: 'custom.width', value: width }]),
    ...(colour === undefined ? [] : [fixedColour(colour), { id: 'custom.cellOptions', value: { type: 'color-text' } }]),
  ];
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
function columnsOf({ rows, columns, last = [] }: TableOptions): DataTransformerConfig[] {
  // Loki names the value of a single query as if there were several.
  const valueNames = (at: number) =>
    columns.length === 1 ? ['Value', `Value #${refId(at)}`] : [`Value #${refId(at)}`];
  const before = Object.keys(rows).filter((label) => !last.includes(label));
  const order = [...before, ...columns.flatMap((_, at) => valueNames(at)), ...last];
  const headings = [
    ...Object.entries(rows).map(([label, { title }]) => [label, title]),
    ...columns.flatMap(({ title }, at) => valueNames(at).map((name) => [name, title])),
  ];
  return [
    { id: 'merge', options: {} },
    {
      id: 'organize',
      options: {
        excludeByName: { Time: true },
        indexByName: Object.fromEntries(order.map((name, at) => [name, at])),
        renameByName: Object.fromEntries(headings),
      },
    },
  ];
}
