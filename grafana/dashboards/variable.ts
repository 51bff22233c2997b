/** The variables of all dashboards: data sources, deployments and hubs, without fault drills by default. */

import type { Builder } from '@grafana/grafana-foundation-sdk/cog';
import {
  ConstantVariableBuilder,
  CustomVariableBuilder,
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  type VariableModel,
  VariableRefresh,
  VariableSort,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { outcomeSchema } from '../../src/shapes/event.ts';
import { drillEnvironment } from '../../src/telemetry/names.ts';
import { labels, series } from '../prometheus-name.ts';
import { selector } from '../rules/promql.ts';
import { dataSources } from './panel.ts';
import { hub, matches } from './promql.ts';

/** A variable of a dashboard. */
export type BoardVariable = Builder<VariableModel>;

/** The label of `deployment.environment.name` on `target_info`. */
const environmentLabel = 'deployment_environment_name';

/** The types of queries of variables in Grafana's Prometheus data source. */
const queryTypes = { labelValues: 1, queryResult: 3 } as const;

/** The variables that every dashboard has, in order. */
export function commonVariables(runbook: string): BoardVariable[] {
  return [
    ...dataSourceVariables(),
    deploymentVariable(),
    hubVariable(),
    drillVariable(),
    new ConstantVariableBuilder('runbook').label('Runbook').value(runbook),
  ];
}

/** The variable that selects servers. */
export function serverVariable(): BoardVariable {
  return labelVariable('server', 'Server', { of: hub(series.toolOutcomes), label: labels.serverId });
}

/** The variable that selects tools of the selected servers. */
export function toolVariable(): BoardVariable {
  const of = hub(series.toolOutcomes, matches(labels.serverId, '$server'));
  return labelVariable('tool', 'Tool', { of, label: labels.genAiToolName });
}

/** The variable that selects outcomes of calls. Traces and log lines of calls are filtered by it. */
export function outcomeVariable(): BoardVariable {
  const values = outcomeSchema.options.map((outcome) => ({ text: outcome, value: outcome }));
  return new CustomVariableBuilder('outcome')
    .label('Outcome')
    .values(outcomeSchema.options.join(','))
    .options(values)
    .multi(true)
    .includeAll(true)
    .allValue('.+')
    .current({ text: 'All', value: '$__all' });
}

/** A multi-value variable with the values of a label; all by default. */
function labelVariable(name: string, title: string, { of, label }: { of: string; label: string }): BoardVariable {
  const query = `label_values(${of}, ${label})`;
  return queryVariable(name, title, query, queryTypes.labelValues).allValue('.+');
}

/**
 * Deployments and hubs of the time range. Without a value for "all", Grafana inserts all listed values, so that what is not
 * listed, such as a drill, is on no panel.
 */
function deploymentVariable(): BoardVariable {
  return seriesVariable('job', 'Deployment', series.uptime);
}

function hubVariable(): BoardVariable {
  return seriesVariable('instance', 'Hub', selector(series.uptime, 'job=~"$job"'));
}

function seriesVariable(name: 'job' | 'instance', title: string, of: string): BoardVariable {
  const drills = `last_over_time(target_info{${environmentLabel}=~"$drills"}[$__range])`;
  const query = `query_result(group by (${name}) (last_over_time(${of}[$__range]) unless on (job, instance) ${drills}))`;
  return queryVariable(name, title, query, queryTypes.queryResult).regex(`/${name}="([^"]+)"/`);
}

function queryVariable(name: string, title: string, query: string, qryType: number): QueryVariableBuilder {
  return new QueryVariableBuilder(name)
    .label(title)
    .datasource(dataSources.prometheus)
    .query({ query, refId: name, qryType })
    .definition(query)
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .sort(VariableSort.AlphabeticalAsc)
    .multi(true)
    .includeAll(true)
    .current({ text: 'All', value: '$__all' });
}

/** Whether hubs of fault drills are listed. No hub has the environment `-`. */
function drillVariable(): BoardVariable {
  return new CustomVariableBuilder('drills')
    .label('Fault drills')
    .values(`hidden : ${drillEnvironment},shown : -`)
    .options([
      { text: 'hidden', value: drillEnvironment, selected: true },
      { text: 'shown', value: '-' },
    ])
    .current({ text: 'hidden', value: drillEnvironment });
}

function dataSourceVariables(): BoardVariable[] {
  const variable = (name: string, title: string, type: string) =>
    new DatasourceVariableBuilder(name).label(title).type(type).current({ text: title, value: type });
  return [
    variable('datasource', 'Data source', 'prometheus'),
    variable('loki', 'Logs', 'loki'),
    variable('tempo', 'Traces', 'tempo'),
  ];
}
