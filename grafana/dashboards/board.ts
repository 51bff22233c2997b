/** The skeleton of every board: variables, the bar of links to the others, annotations, and sections of panels. */
import {
  AnnotationQueryBuilder,
  type Dashboard,
  DashboardBuilder,
  DashboardCursorSync,
  DashboardLinkBuilder,
  DashboardLinkType,
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  RowBuilder,
  VariableRefresh,
  VariableSort,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { monitoringEventSchema } from '../../src/shapes/event.ts';
import { labels, series } from '../prometheus-name.ts';
import { meaning } from './colour.ts';
import { type BoardPanel, dataSources } from './panel.ts';

/** The address of each board. */
export const boardUids = {
  overview: 'hestia-overview',
  tools: 'hestia-tools',
  skillsAndSecurity: 'hestia-skills-security',
  scheduler: 'hestia-scheduler',
  searchAndLearning: 'hestia-search-learning',
  telemetryPipeline: 'hestia-telemetry-pipeline',
} as const;

/** Every board carries it; the bar of links lists what carries it. */
const tag = 'hestia';

/** The stream that a hub's log records are in. */
export const hubLogs = '{service_name="hestia"}';

/** The spans that a hub made: a condition of TraceQL. */
export const hubSpans = 'resource.service.name = "hestia"';

/** Panels under a heading, laid out from left to right; widths of a line add up to 24. */
export interface BoardSection {
  title: string;
  panels: readonly BoardPanel[];
}

/** What a board is made of. */
export interface BoardPlan {
  uid: (typeof boardUids)[keyof typeof boardUids];
  title: string;
  description: string;
  /** Variables besides the data sources and `instance`. */
  variables?: readonly QueryVariableBuilder[];
  sections: readonly BoardSection[];
}

/** Makes a board in the classic schema, which is the one that Grafana takes from files. */
export function createBoard({ uid, title, description, variables = [], sections }: BoardPlan): Dashboard {
  const board = new DashboardBuilder(`Hestia / ${title}`)
    .uid(uid)
    .description(description)
    .tags([tag])
    .readonly()
    .timezone('browser')
    .time({ from: 'now-1h', to: 'now' })
    .refresh('30s')
    .tooltip(DashboardCursorSync.Crosshair)
    .link(
      new DashboardLinkBuilder('Hestia boards')
        .type(DashboardLinkType.Dashboards)
        .tags([tag])
        .includeVars(true)
        .keepTime(true),
    )
    .annotations(annotations());
  for (const variable of [...dataSourceVariables(), instanceVariable(), ...variables]) board.withVariable(variable);
  let id = 1;
  const numbered = (panel: BoardPanel): BoardPanel => {
    const built = { ...panel.build(), id };
    id += 1;
    return { build: () => built };
  };
  for (const section of sections) {
    board.withRow(new RowBuilder(section.title).id(id));
    id += 1;
    for (const panel of section.panels) board.withPanel(numbered(panel));
  }
  return board.build();
}

/** A variable with the values that a label has, of which any number may be chosen; all by default. */
export function labelVariable(name: string, title: string, { of, label }: { of: string; label: string }) {
  const query = `label_values(${of}, ${label})`;
  return new QueryVariableBuilder(name)
    .label(title)
    .datasource(dataSources.prometheus)
    .query({ query, refId: name, qryType: 1 })
    .definition(query)
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .sort(VariableSort.AlphabeticalAsc)
    .multi(true)
    .includeAll(true)
    .allValue('.+')
    .current({ text: 'All', value: '$__all' });
}

/** The servers that calls went to. */
export function serverVariable(): QueryVariableBuilder {
  return labelVariable('server', 'Server', { of: inInstances(series.toolOutcomes), label: labels.serverId });
}

/** The tools that were called, of the chosen servers. */
export function toolVariable(): QueryVariableBuilder {
  const of = `${series.toolOutcomes}{instance=~"$instance", ${labels.serverId}=~"$server"}`;
  return labelVariable('tool', 'Tool', { of, label: labels.genAiToolName });
}

function instanceVariable(): QueryVariableBuilder {
  return labelVariable('instance', 'Hub', { of: series.auditRecords, label: 'instance' });
}

function inInstances(name: string): string {
  return `${name}{instance=~"$instance"}`;
}

function dataSourceVariables(): DatasourceVariableBuilder[] {
  const variable = (name: string, title: string, type: string) =>
    new DatasourceVariableBuilder(name).label(title).type(type).current({ text: title, value: type });
  return [
    variable('datasource', 'Data source', 'prometheus'),
    variable('loki', 'Logs', 'loki'),
    variable('tempo', 'Traces', 'tempo'),
  ];
}

/** Restarts of a hub, from its own log, and alerts while they fire: what changed when the lines did. */
function annotations(): AnnotationQueryBuilder[] {
  return [
    new AnnotationQueryBuilder()
      .name('Hub started')
      .datasource(dataSources.loki)
      .enable(true)
      .iconColor(meaning.notice)
      .expr(`${hubLogs} | monitoring_event="${monitoringEventSchema.enum.SCHEDULER_START}"`)
      .titleFormat('Hub started'),
    new AnnotationQueryBuilder()
      .name('Alert firing')
      .datasource(dataSources.prometheus)
      .enable(true)
      .iconColor(meaning.bad)
      .expr('ALERTS{alertname=~"Hestia.+", alertstate="firing"}')
      .step('60s')
      .titleFormat('{{alertname}}')
      .tagKeys('severity'),
  ];
}
