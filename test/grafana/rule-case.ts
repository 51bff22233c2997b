/** Rule test cases for promtool, and a function that runs them with the real program. */
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { alertRules, runbookAddress, runbookAnchor } from '../../grafana/rules/alert-rules.ts';
import { recordingRules } from '../../grafana/rules/recording-rules.ts';
import { ruleFile } from '../../grafana/rules/rule.ts';

/**
 * Series with their values in promtool's notation, one value each `every`. Series without `job` get that of the hub,
 * and `hub-1` as instance.
 */
export type Input = Readonly<Record<string, string>>;

/** An alert that fires, with labels in addition to its name. */
export interface Firing {
  labels: Record<string, string>;
  description: string;
}

/** The expected result of an alert for an input. `fires` is empty for a near miss. */
export interface AlertCase {
  alert: string;
  /** The condition of the case. */
  when: string;
  input: Input;
  /** The time of the evaluation. */
  at: string;
  fires: readonly Firing[];
  /** The interval of samples and evaluations, `1m` by default. */
  every?: string;
}

/** The expected values of expressions over recorded series, for one input. */
export interface RecordCase {
  input: Input;
  at: string;
  values: readonly { expr: string; samples: readonly { labels: string; value: number }[] }[];
}

/** All alerting rules, as committed. */
export const allAlerts = alertRules({ timeScale: 1 }).flatMap(({ rules }) => rules);

const recordingGroups = recordingRules({ timeScale: 1 });

/** All recording rules, as committed. */
export const allRecords = recordingGroups.flatMap(({ rules }) => rules);

/** The labels of hub-1 on every series, and the labels of its collector. */
export const hub = { job: 'hestia/hestia', instance: 'hub-1' };
/** See {@link hub}. */
export const collector = { job: 'otel-collector', instance: 'collector:8888' };

/**
 * Asks the real promtool; the answer is what it says, and empty where all is as expected. It evaluates every rule it is
 * given for every case, so each case is given the rules it is about.
 */
export async function askPromtool(cases: readonly (AlertCase | RecordCase)[]): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'hestia-rules-'));
  try {
    await writeFile(join(folder, 'recording.yaml'), ruleFile('test', recordingGroups));
    const files: string[] = [];
    for (const [subject, own] of Object.entries(Object.groupBy(cases, subjectOf))) {
      const rules = allAlerts.filter(({ alert }) => own?.some((one) => 'alert' in one && one.alert === alert));
      await writeFile(join(folder, `alerts-${files.length}.yaml`), ruleFile('test', [{ name: 'alerts', rules }]));
      const needsRecords = rules.length === 0 || rules.some(({ expr }) => expr.includes(':'));
      const rule_files = [...(needsRecords ? ['recording.yaml'] : []), `alerts-${files.length}.yaml`];
      const tests = own?.map((one) => promtoolTest(one));
      // The order matters: with a record that is one evaluation older, the result differs.
      const group_eval_order = [...(needsRecords ? recordingGroups.map(({ name }) => name) : []), 'alerts'];
      const file = { rule_files, evaluation_interval: subject.split(' ')[0], group_eval_order, tests };
      files.push(`test-${files.length}.yaml`);
      await writeFile(join(folder, files.at(-1) ?? ''), stringify(file));
    }
    const { status, stdout, stderr } = spawnSync('promtool', ['test', 'rules', ...files], {
      cwd: folder,
      encoding: 'utf8',
    });
    return status === 0 ? '' : `${stdout}${stderr}`.replaceAll(/Unit Testing: .*\n *SUCCESS\n\n/g, '');
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** The interval and the alert of a case; cases with the same ones share a file. Records keep the interval of their group. */
function subjectOf(one: AlertCase | RecordCase): string {
  return 'alert' in one ? `${one.every ?? '1m'} ${one.alert}` : recordPace;
}

const recordPace = '15s';

function promtoolTest(one: AlertCase | RecordCase) {
  const input_series = Object.entries(one.input).map(([series, values]) => ({ series: withHub(series), values }));
  if (!('alert' in one)) {
    const promql_expr_test = one.values.map(({ expr, samples }) => ({ expr, eval_time: one.at, exp_samples: samples }));
    return { name: 'records', interval: recordPace, input_series, promql_expr_test };
  }
  const { alert, when, at, fires, every = '1m' } = one;
  const rule = allAlerts.find((candidate) => candidate.alert === alert);
  const exp_alerts = fires.map(({ labels, description }) => ({
    exp_labels: { ...linking(rule?.labels), ...labels },
    exp_annotations: { ...rule?.annotations, runbook_url: runbookUrl(alert), description },
  }));
  const alert_rule_test = [{ eval_time: at, alertname: alert, exp_alerts }];
  return { name: `${alert}: ${when}`, interval: every, input_series, alert_rule_test };
}

/** The labels from which links of the dashboards are made. */
function linking({ board, outcome }: Record<string, string> = {}): Record<string, string> {
  return { ...(board !== undefined && { board }), ...(outcome !== undefined && { outcome }) };
}

/** The address of an alert's section, with the default address of the runbook. */
export function runbookUrl(alert: string): string {
  return `${runbookAddress}#${runbookAnchor(alert)}`;
}

/** Adds the labels of the hub to a series, unless it has a job or is recorded without an instance. */
function withHub(series: string): string {
  if (series.startsWith('job:') || series.includes('job=')) return series;
  const [name, matchers] = [series.split('{')[0], /\{(.*)\}$/.exec(series)?.[1]];
  const instance = series.includes('instance=') ? [] : [`instance="${hub.instance}"`];
  return `${name}{${[`job="${hub.job}"`, ...instance, ...(matchers ? [matchers] : [])].join(', ')}}`;
}
