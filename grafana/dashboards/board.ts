/** The common layout of all dashboards: variables, links to the others, annotations, and sections of panels. */
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

/** The uid of each dashboard, which its URL contains. */
export const boardUids = {
  overview: 'hestia-overview',
  tools: 'hestia-tools',
  skillsAndSecurity: 'hestia-skills-security',
  scheduler: 'hestia-scheduler',
  searchAndLearning: 'hestia-search-learning',
  telemetryPipeline: 'hestia-telemetry-pipeline',
} as const;

/** The tag of every dashboard. The link bar lists all dashboards with this tag. */
const tag = 'hestia';

/** The LogQL stream selector of a hub's log records. */
export const hubLogs = '{service_name="hestia"}';

/** The TraceQL condition for spans of a hub. */
export const hubSpans = 'resource.service.name = "hestia"';

/** Panels under a heading, laid out from left to right. The widths of a line add up to 24. */
export interface BoardSection {
  title: string;
  panels: readonly BoardPanel[];
}

/** The content of a dashboard. */
export interface BoardPlan {
  uid: (typeof boardUids)[keyof typeof boardUids];
  title: string;
  description: string;
  /** Variables in addition to the data sources and `instance`. */
  variables?: readonly QueryVariableBuilder[];
  sections: readonly BoardSection[];
}

/** Creates a dashboard in the classic schema, which Grafana reads from provisioned files. */
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

/** A multi-value variable with the values of a label; all by default. */
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

/** The variable that selects servers. */
export function serverVariable(): QueryVariableBuilder {
  return labelVariable('server', 'Server', { of: inInstances(series.toolOutcomes), label: labels.serverId });
}

/** The variable that selects tools of the selected servers. */
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

/** Annotations: restarts of a hub, from its log, and alerts while they fire. */
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
