/** Types of rules and alerts, and the YAML rule file that Prometheus reads. */
import { stringify } from 'yaml';
import type { BoardUid } from '../board-uid.ts';

/** A recording rule. Its name is `level:metric:operations`: remaining labels, metric, applied operations. */
export interface RecordingRule {
  record: string;
  expr: string;
  labels?: Record<string, string>;
}

/**
 * `critical` pages someone: agents cannot work, or an invariant is broken. `warning` is for working hours.
 * Anything less is a panel, not an alert.
 */
export type Severity = 'critical' | 'warning';

/** An alert. Texts are Prometheus templates. `forSeconds` is not scaled. */
export interface Alert {
  name: string;
  severity: Severity;
  expr: string;
  forSeconds: number;
  /** Further labels; `outcome` is the outcome of the calls that the alert is about. */
  labels?: Record<string, string>;
  /** The dashboard that shows the cause, if it is not that of the alert's group. */
  board?: BoardUid;
  /** One line, without values. */
  summary: string;
  /** The measured value, its location, and the threshold. */
  description: string;
}

/** An alerting rule in the format of Prometheus. */
export interface AlertRule {
  alert: string;
  expr: string;
  for?: string;
  labels: Record<string, string>;
  annotations: { summary: string; description: string; runbook_url: string };
}

/** Rules that are evaluated in sequence. `interval` is set if it differs from the global one. */
export interface RuleGroup<Rule = RecordingRule | AlertRule> {
  name: string;
  interval?: string;
  rules: readonly Rule[];
}

/** Renders a rule file as YAML, with `comment` as its first line. */
export function ruleFile(comment: string, groups: readonly RuleGroup[]): string {
  return `# ${comment}\n${stringify({ groups }, { lineWidth: 0 })}`;
}
