/** Rules and alerts as values, and the YAML that Prometheus reads. Knows no metric and no threshold. */
import { stringify } from 'yaml';

/** A recording rule. The name is `level:metric:operations`: labels that are left, what was measured, what was done to it. */
export interface RecordingRule {
  record: string;
  expr: string;
  labels?: Record<string, string>;
}

/**
 * `critical` wakes someone: agents cannot work, or what must not happen did. `warning` is read in working hours.
 * What is neither is no alert but a panel.
 */
export type Severity = 'critical' | 'warning';

/** One condition as a person is told of it. Texts are Prometheus templates; `forSeconds` is not scaled yet. */
export interface Alert {
  name: string;
  severity: Severity;
  expr: string;
  forSeconds: number;
  labels?: Record<string, string>;
  /** One line, without values. */
  summary: string;
  /** What was measured, where, and against which threshold. */
  description: string;
}

/** An alerting rule as Prometheus reads it. */
export interface AlertRule {
  alert: string;
  expr: string;
  for?: string;
  labels: Record<string, string>;
  annotations: { summary: string; description: string; runbook_url: string };
}

/** Rules that are evaluated one after the other. `interval` where it differs from the global one. */
export interface RuleGroup<Rule = RecordingRule | AlertRule> {
  name: string;
  interval?: string;
  rules: readonly Rule[];
}

/** The YAML of a rule file; `comment` is its first line. */
export function ruleFile(comment: string, groups: readonly RuleGroup[]): string {
  return `# ${comment}\n${stringify({ groups }, { lineWidth: 0 })}`;
}
