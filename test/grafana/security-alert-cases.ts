/** Cases of the alerts on security events: inputs for which they fire, and near misses. */
import type { AlertCase } from './rule-case.ts';
import { hub } from './rule-case.ts';

function event(name: string): string {
  return `hestia_security_events_total{security_event="${name}"}`;
}

/** Two cases of an alert on a security event: one event more than the threshold within the window, and exactly the threshold. */
function eventCases(
  alert: string,
  name: string,
  { allowed, text, severity = 'warning' }: { allowed: number; text: string; severity?: string },
): AlertCase[] {
  const count = allowed + 1;
  const labels = { severity, ...hub, security_event: name };
  const description = `${count} ${text}`;
  return [
    {
      alert,
      when: 'one more than the threshold',
      input: { [event(name)]: `0 0 ${count}x10` },
      at: '4m',
      fires: [{ labels, description }],
    },
    { alert, when: 'exactly the threshold', input: { [event(name)]: `0 0 ${allowed}x10` }, at: '4m', fires: [] },
  ];
}

/** The cases of alerts on security events. */
export const securityAlertCases: readonly AlertCase[] = [
  ...eventCases('HestiaSkillRegistrationFailing', 'SKILL_ACTIVATION_REGISTRATION_FAILED', {
    allowed: 2,
    text: 'skill activations have no tool, because the tool name is taken, on the hub hub-1, in the last 15m (threshold 2).',
  }),
  ...eventCases('HestiaSkillUnregistrationFailing', 'SKILL_DEACTIVATION_UNREGISTRATION_FAILED', {
    allowed: 0,
    text: 'deactivations found no tool to remove, on the hub hub-1, in the last 15m (threshold 0).',
  }),
  ...eventCases('HestiaSkillInjectionAttempt', 'SKILL_INJECTION_ATTEMPT', {
    allowed: 0,
    text: 'attempts at injection by a skill were recorded, on the hub hub-1, in the last 1h (threshold 0).',
  }),
  ...eventCases('HestiaToolDefinitionChanged', 'TOOL_DEFINITION_CHANGED', {
    allowed: 0,
    text: 'tool definitions were reported as TOOL_DEFINITION_CHANGED, on the hub hub-1, in the last 1h (threshold 0).',
  }),
  ...eventCases('HestiaAuthenticationFailures', 'AUTH_FAILED', {
    allowed: 20,
    text: 'requests had no valid key, on the hub hub-1, in the last 5m (threshold 20).',
  }),
  ...eventCases('HestiaAccessDenied', 'ACCESS_DENIED', {
    allowed: 20,
    text: 'requests were denied, because the role of their key does not permit them, on the hub hub-1, in the last 5m (threshold 20).',
  }),
  ...eventCases('HestiaAuditChainBroken', 'AUDIT_CHAIN_BROKEN', {
    allowed: 0,
    text: 'verifications found the audit trail broken, on the hub hub-1, in the last 1d (threshold 0).',
    severity: 'critical',
  }),
  {
    alert: 'HestiaToolDefinitionChanged',
    when: 'a hub detects it during startup, before the first scrape',
    input: { [event('TOOL_DEFINITION_CHANGED')]: '1x10', process_uptime_seconds: '5+60x10' },
    at: '1m',
    fires: [
      {
        labels: { severity: 'warning', ...hub, security_event: 'TOOL_DEFINITION_CHANGED' },
        description:
          '1 tool definitions were reported as TOOL_DEFINITION_CHANGED, on the hub hub-1, in the last 1h (threshold 0).',
      },
    ],
  },
  {
    alert: 'HestiaSkillInjectionAttempt',
    when: 'it was more than an hour ago',
    input: { [event('SKILL_INJECTION_ATTEMPT')]: '0 1x100', process_uptime_seconds: '9000+60x100' },
    at: '90m',
    fires: [],
  },
];
