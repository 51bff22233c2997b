/** All alerts as Prometheus rules: with scaled times, severity and dashboard as labels, and a link to the runbook. */
import { type BoardUid, boardUids } from '../board-uid.ts';
import { hubAlerts } from './hub-alerts.ts';
import { objectiveAlerts } from './objective-alerts.ts';
import { pipelineAlerts } from './pipeline-alerts.ts';
import { duration, type RuleOptions } from './promql.ts';
import type { Alert, AlertRule, RuleGroup } from './rule.ts';
import { securityAlerts } from './security-alerts.ts';
import { toolAlerts } from './tool-alerts.ts';

/** The path of the runbook in this repository. */
export const runbookPath = 'grafana/runbook.md';

/** The page of the runbook that Grafana of docker compose serves. Links of dashboards lead there. */
export const runbookPage = '/public/hestia/runbook.html';

/** The address of the runbook in alerts, unless {@link runbookLabel} gives another one. */
export const runbookAddress = `http://127.0.0.1:3000${runbookPage}`;

/**
 * The external label of Prometheus with the address of your runbook (`global.external_labels` in grafana/prometheus.yaml).
 * The anchors do not change.
 */
export const runbookLabel = 'runbook';

/** The anchor of an alert's heading in the runbook. */
export function runbookAnchor(alertName: string): string {
  return alertName.toLowerCase();
}

const runbookBase = `{{ or $externalLabels.${runbookLabel} "${runbookAddress}" }}`;

/** The alerting rules, by group. */
export function alertRules(options: RuleOptions): RuleGroup<AlertRule>[] {
  const groups: Readonly<Record<string, readonly [BoardUid, Alert[]]>> = {
    'hestia-objective-alerts': [boardUids.tools, objectiveAlerts()],
    'hestia-tool-alerts': [boardUids.tools, toolAlerts(options)],
    'hestia-security-alerts': [boardUids.skillsAndSecurity, securityAlerts(options)],
    'hestia-hub-alerts': [boardUids.overview, hubAlerts(options)],
    'hestia-pipeline-alerts': [boardUids.telemetryPipeline, pipelineAlerts(options)],
  };
  return Object.entries(groups).map(([name, [board, alerts]]) => ({
    name,
    rules: alerts.map((alert) => alertRule({ board, ...alert }, options)),
  }));
}

function alertRule(alert: Alert & { board: BoardUid }, { timeScale }: RuleOptions): AlertRule {
  const { name, severity, board, expr, forSeconds, labels, summary, description } = alert;
  return {
    alert: name,
    expr,
    ...(forSeconds > 0 && { for: duration(forSeconds * timeScale) }),
    labels: { severity, board, ...labels },
    annotations: { summary, description, runbook_url: `${runbookBase}#${runbookAnchor(name)}` },
  };
}
