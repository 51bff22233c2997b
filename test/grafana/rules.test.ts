/** The rules, by the real promtool: each alert fires where it must and not where it just must not, each record has its value. */
import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { errorTypesOf } from '../../grafana/rules/tool-error-fault.ts';
import { describeWith } from '../support/programs/requirements.ts';
import { hubAlertCases } from './hub-alert-cases.ts';
import { objectiveAlertCases } from './objective-alert-cases.ts';
import { pipelineAlertCases } from './pipeline-alert-cases.ts';
import { growthCase, recordCase } from './record-cases.ts';
import { allAlerts, allRecords, askPromtool } from './rule-case.ts';
import { securityAlertCases } from './security-alert-cases.ts';
import { toolAlertCases } from './tool-alert-cases.ts';

const alertCases = [
  ...toolAlertCases,
  ...objectiveAlertCases,
  ...securityAlertCases,
  ...hubAlertCases,
  ...pipelineAlertCases,
];
const alertNames = [...new Set(allAlerts.map(({ alert }) => alert))];

/** Some hundred small Prometheus servers in one process: seconds, and more on a machine that is busy. */
const promtoolTimeoutMs = 300_000;

/** Conditions, by the names that issue and runbook use. */
const conditions = [
  'HubDown ServerDisconnected ToolErrors ToolTimeouts ToolCallsSlow ToolCallsAbandoned SkillRegistrationFailing',
  'SkillUnregistrationFailing SkillInjectionAttempt ToolDefinitionChanged AuthenticationFailures AccessDenied',
  'CleanupFailed SchedulerStalled SchedulerNotRunning AuditGap AuditChainBroken TelemetryDropped CollectorDown',
  'CollectorFailing CollectorQueueFilling MetricOverflow EventLoopLag ChromaUnreachable StorageFailing',
  'ToolCallAvailabilityBurn ToolCallLatencyBurn ProjectorLag',
].flatMap((line) => line.split(' ').map((name) => `Hestia${name}`));

describe('the alerts', () => {
  test('are one for each condition', () => {
    expect(alertNames.toSorted()).toEqual(conditions.toSorted());
  });

  test('have one rule each, or one for each pair of windows', () => {
    const keys = allAlerts.map(({ alert, labels }) => `${alert} ${labels.long ?? ''}`);
    expect(new Set(keys).size).toBe(keys.length);
  });

  test.each(alertNames)('%s has a case in which it fires, and a near miss', (name) => {
    const own = alertCases.filter(({ alert }) => alert === name);
    expect(own.some(({ fires }) => fires.length > 0)).toBe(true);
    expect(own.some(({ fires }) => fires.length === 0)).toBe(true);
  });

  test('each rule, by its labels, fires in a case', () => {
    const fired = alertCases.flatMap(({ alert, fires }) => fires.map(({ labels }) => `${alert} ${labels.long ?? ''}`));
    expect(
      allAlerts.map(({ alert, labels }) => `${alert} ${labels.long ?? ''}`).filter((key) => !fired.includes(key)),
    ).toEqual([]);
  });

  test('say a severity, a summary, a value or a place, and a heading of the runbook', () => {
    for (const { alert, labels, annotations } of allAlerts) {
      expect(['critical', 'warning']).toContain(labels.severity);
      expect(annotations.summary).toMatch(/^[A-Z].*[^.]$/);
      expect(annotations.description, alert).toMatch(/\{\{ (?:\$value|\$labels|if \$labels)|Hubs are up/);
      expect(annotations.runbook_url).toMatch(new RegExp(`#${alert.toLowerCase()}$`));
    }
  });
});

describe('the records', () => {
  test('are named level:metric:operations', () => {
    expect(allRecords.map(({ record }) => record).filter((name) => !/^[a-z_]+:[a-z_]+:[a-z0-9_]+$/.test(name))).toEqual(
      [],
    );
  });

  test('have a value in a case, each of them', () => {
    const tested = recordCase.values.map(({ expr }) => /[a-z_]+:\w+:\w+/.exec(expr)?.[0]);
    expect(allRecords.map(({ record }) => record).filter((name) => !tested.includes(name))).toEqual([]);
  });
});

describe('the error budget', () => {
  test('is spent by no mistake of the caller, and by nothing a tool said itself', () => {
    expect(errorTypesOf('caller')).toEqual(['invalid_arguments', 'cancelled']);
    expect(errorTypesOf('tool')).toEqual(['tool_error', 'response_too_large']);
  });
});

describeWith('promtool', 'promtool', () => {
  test('finds the committed rules correct', () => {
    const files = ['grafana/rules/alerts.yaml', 'grafana/rules/recording.yaml'];
    const { status, stdout, stderr } = spawnSync(
      'promtool',
      ['check', 'rules', '--lint=all', '--lint-fatal', ...files],
      { encoding: 'utf8' },
    );
    expect(status, `${stdout}${stderr}`).toBe(0);
  });

  test('sees each alert do what its cases say', { timeout: promtoolTimeoutMs }, async () => {
    expect(await askPromtool(alertCases)).toBe('');
  });

  test('sees each record have the value its case says', async () => {
    expect(await askPromtool([recordCase])).toBe('');
  });

  test('counts what series are born with, and what they count after a restart', async () => {
    expect(await askPromtool([growthCase])).toBe('');
  });

  test('would see a case that is wrong', async () => {
    const [first] = toolAlertCases.filter(({ fires }) => fires.length > 0);
    if (first === undefined) throw new Error('there is no case');
    expect(await askPromtool([{ ...first, fires: [] }])).toContain(first.alert);
  });
});
