/** Panels with numbers from Prometheus: single value, time series, heatmap, ranking, table. */
import { PanelBuilder as BarGaugePanelBuilder } from '@grafana/grafana-foundation-sdk/bargauge';
import {
  BarGaugeDisplayMode,
  BigValueColorMode,
  BigValueGraphMode,
  GraphDrawStyle,
  GraphThresholdsStyleConfigBuilder,
  GraphThresholdsStyleMode,
  HeatmapCellLayout,
  LegendDisplayMode,
  LegendPlacement,
  ReduceDataOptionsBuilder,
  SortOrder,
  StackingConfigBuilder,
  StackingMode,
  TooltipDisplayMode,
  VisibilityMode,
  VizLegendOptionsBuilder,
  VizOrientation,
  VizTooltipOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common';
import {
  type DashboardLinkBuilder,
  FieldColorBuilder,
  FieldColorModeId,
  MappingType,
  type ThresholdsConfigBuilder,
  type ValueMapping,
} from '@grafana/grafana-foundation-sdk/dashboard';
import {
  HeatmapColorMode,
  HeatmapColorOptionsBuilder,
  PanelBuilder as HeatmapPanelBuilder,
  HeatmapTooltipBuilder,
  RowsHeatmapOptionsBuilder,
  YAxisConfigBuilder,
} from '@grafana/grafana-foundation-sdk/heatmap';
import { DataqueryBuilder, PromQueryFormat } from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder as StatPanelBuilder } from '@grafana/grafana-foundation-sdk/stat';
import { PanelBuilder as TimeSeriesPanelBuilder } from '@grafana/grafana-foundation-sdk/timeseries';
import { type Colour, meaning } from './colour.ts';
import {
  type BoardPanel,
  dataSources,
  fixedColour,
  type PanelSize,
  type PanelText,
  steps,
  type Unit,
} from './panel.ts';
import { quantile } from './promql.ts';

/** Options of panels with numbers. */
export interface ChartOptions extends PanelText {
  unit: Unit;
  /** Shown if there is no value. */
  noValue?: string;
  decimals?: number;
  min?: number;
  max?: number;
  thresholds?: ThresholdsConfigBuilder;
  links?: readonly DashboardLinkBuilder[];
  size?: Partial<PanelSize>;
}

/** A query: one or more lines of a chart, or a value. `legend` is a template such as `{{outcome}}`, or plain text. */
export interface ChartQuery {
  expr: string;
  legend: string;
}

/** Creates a panel of one current value, or a few side by side. `words` maps values to text. */
export function statPanel(
  options: ChartOptions & { queries: readonly ChartQuery[]; words?: Readonly<Record<string, [string, Colour]>> },
): BoardPanel {
  const panel = new StatPanelBuilder()
    .reduceOptions(new ReduceDataOptionsBuilder().calcs(['lastNotNull']).values(false))
    .colorMode(options.thresholds || options.words ? BigValueColorMode.Background : BigValueColorMode.Value)
    .graphMode(BigValueGraphMode.None)
    .thresholds(options.thresholds ?? steps(meaning.neutral));
  for (const [at, query] of options.queries.entries()) panel.withTarget(instantQuery(query, at));
  if (options.words) panel.mappings([wordsMapping(options.words)]);
  return dressed(panel, options, { width: 4, height: 4 });
}

/** Creates a time series panel. `colours` are by legend, `colourPatterns` by a regular expression of legends. */
export function timeSeriesPanel(
  options: ChartOptions & {
    queries: readonly ChartQuery[];
    colours?: Readonly<Record<string, Colour>>;
    colourPatterns?: Readonly<Record<string, Colour>>;
    /** Whether more than four series are usual. Their legend is a table beside the chart, in the order of their values. */
    many?: boolean;
    /** `lines` by default; `stacked` for parts of a whole; `bars` for counts in an interval. */
    form?: 'lines' | 'stacked' | 'bars';
    /** Queries exemplars too, which link to traces. */
    exemplars?: boolean;
  },
): BoardPanel {
  const form = options.form ?? 'lines';
  const panel = new TimeSeriesPanelBuilder()
    .drawStyle(form === 'bars' ? GraphDrawStyle.Bars : GraphDrawStyle.Line)
    .fillOpacity({ lines: 5, stacked: 70, bars: 80 }[form])
    // The line of a topmost series near zero would outline the whole stack in its colour.
    .lineWidth(form === 'stacked' ? 0 : 1)
    .showPoints(VisibilityMode.Never)
    .stacking(new StackingConfigBuilder().mode(form === 'lines' ? StackingMode.None : StackingMode.Normal))
    .legend(options.many === true ? legendBeside() : legendBelow())
    .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi).sort(SortOrder.Descending))
    // In the order of the series. By name, a hash picks among sixty colours, of which some are nearly white.
    .colorScheme(new FieldColorBuilder().mode(FieldColorModeId.PaletteClassic));
  // Otherwise Grafana draws the axis of a chart that is always zero from 0 to 100.
  if (options.max === undefined) panel.axisSoftMax(softMax(options.unit));
  if (options.thresholds) {
    panel
      .thresholds(options.thresholds)
      .thresholdsStyle(new GraphThresholdsStyleConfigBuilder().mode(GraphThresholdsStyleMode.Dashed));
  }
  for (const [pattern, colour] of Object.entries(options.colourPatterns ?? {})) {
    panel.overrideByRegexp(pattern, [fixedColour(colour)]);
  }
  for (const [name, colour] of Object.entries(options.colours ?? {})) panel.overrideByName(name, [fixedColour(colour)]);
  for (const [at, query] of options.queries.entries()) {
    panel.withTarget(rangeQuery(query, at).exemplar(options.exemplars === true));
  }
  return dressed(panel, { min: 0, ...options }, { width: 12, height: 8 });
}

/** Creates a heatmap from the buckets of a histogram. Its dots are exemplars, which link to traces. */
export function heatmapPanel(options: ChartOptions & { query: string; exemplars: boolean }): BoardPanel {
  const panel = new HeatmapPanelBuilder()
    .calculate(false)
    .rowsFrame(new RowsHeatmapOptionsBuilder().layout(HeatmapCellLayout.Auto))
    .yAxis(new YAxisConfigBuilder().unit(options.unit))
    .color(new HeatmapColorOptionsBuilder().mode(HeatmapColorMode.Scheme).scheme('Spectral').reverse(false).steps(64))
    .tooltip(new HeatmapTooltipBuilder().mode(TooltipDisplayMode.Single).yHistogram(true))
    .exemplarsColor(meaning.bad)
    .showLegend()
    .withTarget(
      rangeQuery({ expr: options.query, legend: '{{le}}' }, 0)
        .format(PromQueryFormat.Heatmap)
        .exemplar(options.exemplars),
    );
  return dressed(panel, options, { width: 12, height: 8 });
}

/** Creates a ranking of current values, the largest first. */
export function rankingPanel(options: ChartOptions & { query: ChartQuery }): BoardPanel {
  const panel = new BarGaugePanelBuilder()
    .reduceOptions(new ReduceDataOptionsBuilder().calcs(['lastNotNull']).values(false))
    .orientation(VizOrientation.Horizontal)
    .displayMode(BarGaugeDisplayMode.Basic)
    .thresholds(options.thresholds ?? steps(meaning.notice))
    .withTarget(instantQuery(options.query, 0));
  return dressed(panel, { min: 0, ...options }, { width: 12, height: 8 });
}

/** The percentiles of a duration that the dashboards show. */
export function percentileLines(bucketSelector: string): ChartQuery[] {
  return [0.5, 0.95, 0.99].map((share) => ({ expr: quantile(share, bucketSelector), legend: `p${share * 100}` }));
}

interface DressablePanel extends BoardPanel {
  title(title: string): this;
  description(description: string): this;
  unit(unit: string): this;
  datasource(source: { type: string; uid: string }): this;
  noValue(text: string): this;
  decimals(decimals: number): this;
  min(min: number): this;
  max(max: number): this;
  dataLinks(links: DashboardLinkBuilder[]): this;
  span(width: number): this;
  height(height: number): this;
}

function dressed(panel: DressablePanel, options: ChartOptions, size: PanelSize): BoardPanel {
  panel
    .title(options.title)
    .description(options.description)
    .unit(options.unit)
    .datasource(dataSources.prometheus)
    .noValue(options.noValue ?? 'no data')
    .span(options.size?.width ?? size.width)
    .height(options.size?.height ?? size.height);
  if (options.decimals !== undefined) panel.decimals(options.decimals);
  if (options.min !== undefined) panel.min(options.min);
  if (options.max !== undefined) panel.max(options.max);
  if (options.links) panel.dataLinks([...options.links]);
  return panel;
}

/** A query for the value at the end of the time range. */
export function instantQuery({ expr, legend }: ChartQuery, at: number): DataqueryBuilder {
  return query(expr, legend, at).instant();
}

function rangeQuery({ expr, legend }: ChartQuery, at: number): DataqueryBuilder {
  return query(expr, legend, at).range();
}

function query(expr: string, legend: string, at: number): DataqueryBuilder {
  return new DataqueryBuilder().refId(refId(at)).datasource(dataSources.prometheus).expr(expr).legendFormat(legend);
}

/** The reference id of a query: `A` for the first, `B` for the second. */
export function refId(at: number): string {
  return String.fromCharCode('A'.charCodeAt(0) + at);
}

function legendBelow(): VizLegendOptionsBuilder {
  return new VizLegendOptionsBuilder()
    .showLegend(true)
    .displayMode(LegendDisplayMode.List)
    .placement(LegendPlacement.Bottom)
    .calcs([]);
}

function legendBeside(): VizLegendOptionsBuilder {
  return new VizLegendOptionsBuilder()
    .showLegend(true)
    .displayMode(LegendDisplayMode.Table)
    .placement(LegendPlacement.Right)
    .calcs(['max'])
    .sortBy('Max')
    .sortDesc(true);
}

/** The upper end of an axis whose values are all smaller. */
function softMax(unit: Unit): number {
  if (unit === 'bytes') return 1024 ** 2;
  return unit === 's' ? 0.01 : unit === 'percentunit' ? 0.01 : 1;
}

function wordsMapping(words: Readonly<Record<string, [string, Colour]>>): ValueMapping {
  return {
    type: MappingType.ValueToText,
    options: Object.fromEntries(
      Object.entries(words).map(([value, [text, color]], index) => [value, { text, color, index }]),
    ),
  };
}
