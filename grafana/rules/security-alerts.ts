/** Alerts on security events: skill registration, attacks, changed tools, refused callers, a broken audit trail. */

import type { SecurityEvent } from '../../src/shapes/event.ts';
import { labels } from '../prometheus-name.ts';
import { thresholds } from '../thresholds.ts';
import { countedBy, duration, hubLabels, type RuleOptions, securityEvents } from './promql.ts';
import type { Alert, Severity } from './rule.ts';

/** An alert on the number of security events. `what` follows the number in the description. */
interface EventAlert {
  name: string;
  severity: Severity;
  events: readonly SecurityEvent[];
  threshold: { above: number; windowSeconds: number; forSeconds: number };
  summary: string;
  what: string;
}

const eventAlerts: readonly EventAlert[] = [
  {
    name: 'HestiaSkillRegistrationFailing',
    severity: 'warning',
    events: ['SKILL_ACTIVATION_REGISTRATION_FAILED'],
    threshold: thresholds.skillRegistrationFailing,
    summary: 'Activated skills do not become tools',
    what: 'skill activations have no tool, because the tool name is taken',
  },
  {
    name: 'HestiaSkillUnregistrationFailing',
    severity: 'warning',
    events: ['SKILL_DEACTIVATION_UNREGISTRATION_FAILED'],
    threshold: thresholds.skillUnregistrationFailing,
    summary: 'A deactivated skill was not registered as a tool',
    what: 'deactivations found no tool to remove',
  },
  {
    name: 'HestiaSkillInjectionAttempt',
    severity: 'warning',
    events: ['SKILL_INJECTION_ATTEMPT'],
    threshold: thresholds.skillInjectionAttempt,
    summary: 'A skill tried to inject instructions',
    what: 'attempts at injection by a skill were recorded',
  },
  {
    name: 'HestiaToolDefinitionChanged',
    severity: 'warning',
    events: ['TOOL_DEFINITION_CHANGED', 'TOOL_POISONING_SUSPECTED'],
    threshold: thresholds.toolDefinitionChanged,
    summary: 'A tool definition has changed, or looks like a prompt injection',
    what: `tool definitions were reported as {{ $labels.${labels.securityEvent} }}`,
  },
  {
    name: 'HestiaAuthenticationFailures',
    severity: 'warning',
    events: ['AUTH_FAILED'],
    threshold: thresholds.authenticationFailures,
    summary: 'Many requests have no valid key',
    what: 'requests had no valid key',
  },
  {
    name: 'HestiaAccessDenied',
    severity: 'warning',
    events: ['ACCESS_DENIED'],
    threshold: thresholds.accessDenied,
    summary: 'Many requests are denied by the role of their key',
    what: 'requests were denied, because the role of their key does not permit them',
  },
  {
    name: 'HestiaAuditChainBroken',
    severity: 'critical',
    events: ['AUDIT_CHAIN_BROKEN'],
    threshold: thresholds.auditChainBroken,
    summary: 'The audit trail was tampered with',
    what: 'verifications found the audit trail broken',
  },
];

/** The alerts on security events. */
export function securityAlerts(options: RuleOptions): Alert[] {
  return eventAlerts.map(({ name, severity, events, threshold, summary, what }) => {
    const { above, windowSeconds, forSeconds } = threshold;
    const by = `${hubLabels}, ${labels.securityEvent}`;
    return {
      name,
      severity,
      expr: `${countedBy(by, securityEvents(...events), windowSeconds, options)} > ${above}`,
      forSeconds,
      summary,
      description: `{{ $value }} ${what}, on the hub {{ $labels.instance }}, in the last ${duration(windowSeconds)} (threshold ${above}).`,
    };
  });
}
