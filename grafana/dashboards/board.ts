/** The common layout of all dashboards: variables, links to the others, annotations, and sections of panels. */
import {
  AnnotationQueryBuilder,
  type Dashboard,
  DashboardBuilder,
  DashboardCursorSync,
  DashboardLinkBuilder,
  DashboardLinkType,
  RowBuilder,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { TextMode, PanelBuilder as TextPanelBuilder } from '@grafana/grafana-foundation-sdk/text';
import { monitoringEventSchema } from '../../src/shapes/event.ts';
import type { BoardUid } from '../board-uid.ts';
import { runbookPage } from '../rules/alert-rules.ts';
import { meaning } from './colour.ts';
import { type BoardPanel, dataSources, keptSelection } from './panel.ts';
import { ofDeployment } from './promql.ts';
import { type BoardVariable, commonVariables } from './variable.ts';

/** The tag of every dashboard. The link bar lists all dashboards with this tag. */
const tag = 'hestia';

/** The LogQL selector of the log records of the selected hubs. The instance is a label of the stream, or metadata. */
export const hubLogs = '{service_name="hestia"} | service_instance_id=~"$instance"';

/** The TraceQL condition for spans of the selected hubs. */
export const hubSpans = 'resource.service.name = "hestia" && resource.service.instance.id =~ "$instance"';

/** Panels under a heading, laid out from left to right. The widths of a line add up to 24. */
export interface BoardSection {
  title: string;
  panels: readonly BoardPanel[];
}

/** The content of a dashboard. */
export interface BoardPlan {
  uid: BoardUid;
  title: string;
  /** What the dashboard answers, in one sentence. It is at the top, followed by `next`. */
  description: string;
  /** Where to go next: questions, with the dashboard that answers each. */
  next: readonly (readonly [question: string, uid: BoardUid])[];
  /** Variables in addition to {@link commonVariables}. */
  variables?: readonly BoardVariable[];
  sections: readonly BoardSection[];
}

/** Creates a dashboard in the classic schema, which Grafana reads from provisioned files. */
export function createBoard({ uid, title, description, next, variables = [], sections }: BoardPlan): Dashboard {
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
  for (const variable of [...commonVariables(runbookPage), ...variables]) board.withVariable(variable);
  let id = 1;
  const numbered = (panel: BoardPanel): BoardPanel => {
    const built = { ...panel.build(), id };
    id += 1;
    return { build: () => built };
  };
  board.withPanel(numbered(introduction(description, next)));
  for (const section of sections) {
    board.withRow(new RowBuilder(section.title).id(id));
    id += 1;
    for (const panel of section.panels) board.withPanel(numbered(panel));
  }
  return board.build();
}

/** The first panel: what the dashboard answers, and links to the next ones. */
function introduction(description: string, next: BoardPlan['next']): BoardPanel {
  const links = next.map(([question, uid]) => `[${question}](/d/${uid}?${keptSelection})`);
  return new TextPanelBuilder()
    .mode(TextMode.Markdown)
    .content(`**${description}** Next: ${links.join(' · ')}`)
    .transparent(true)
    .span(24)
    .height(2);
}

/** Annotations: starts of a hub, from its log, and the moments at which alerts began to fire. */
function annotations(): AnnotationQueryBuilder[] {
  const firing = `ALERTS{alertname=~"Hestia.+", alertstate="firing", ${ofDeployment}}`;
  return [
    new AnnotationQueryBuilder()
      .name('Hub started')
      .datasource(dataSources.loki)
      .enable(true)
      .iconColor(meaning.notice)
      .expr(`${hubLogs} | monitoring_event="${monitoringEventSchema.enum.SCHEDULER_START}"`)
      .titleFormat('Hub started'),
    new AnnotationQueryBuilder()
      .name('Alert began')
      .datasource(dataSources.prometheus)
      .enable(true)
      // Neither red, which is the colour of errors and exemplars, nor a region, which would cover the chart.
      .iconColor(meaning.gone)
      .expr(`${firing} unless (${firing} offset 1m)`)
      .step('60s')
      .titleFormat('{{alertname}}')
      .tagKeys('severity'),
  ];
}
