/** All alerts as Prometheus rules: with scaled times, severity as a label, and a link to the runbook. */
import { hubAlerts } from './hub-alerts.ts';
import { objectiveAlerts } from './objective-alerts.ts';
import { pipelineAlerts } from './pipeline-alerts.ts';
import { duration, type RuleOptions } from './promql.ts';
import type { Alert, AlertRule, RuleGroup } from './rule.ts';
import { securityAlerts } from './security-alerts.ts';
import { toolAlerts } from './tool-alerts.ts';

/**
 * The address of the runbook: its path in this repository, which everyone who runs the compose stack has. If you publish
 * the runbook, set its address here and run `npm run generate`. The anchors do not change.
 */
export const runbookAddress = 'grafana/runbook.md';

/** The anchor of an alert's heading in the runbook. */
export function runbookAnchor(alertName: string): string {
  return alertName.toLowerCase();
}

/** The alerting rules, by group. */
export function alertRules(options: RuleOptions): RuleGroup<AlertRule>[] {
  const groups = {
    'hestia-objective-alerts': objectiveAlerts(),
    'hestia-tool-alerts': toolAlerts(options),
    'hestia-security-alerts': securityAlerts(options),
    'hestia-hub-alerts': hubAlerts(options),
    'hestia-pipeline-alerts': pipelineAlerts(options),
  };
  return Object.entries(groups).map(([name, alerts]) => ({
    name,
    rules: alerts.map((alert) => alertRule(alert, options)),
  }));
}

function alertRule(alert: Alert, { timeScale }: RuleOptions): AlertRule {
  const { name, severity, expr, forSeconds, labels, summary, description } = alert;
  return {
    alert: name,
    expr,
    ...(forSeconds > 0 && { for: duration(forSeconds * timeScale) }),
    labels: { severity, ...labels },
    annotations: { summary, description, runbook_url: `${runbookAddress}#${runbookAnchor(name)}` },
  };
}
