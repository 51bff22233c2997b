/** Alerts on security events: skills that cannot be tools, attacks, changed tools, refused callers, a broken trail. */

import type { SecurityEvent } from '../../src/shapes/event.ts';
import { labels } from '../prometheus-name.ts';
import { thresholds } from '../thresholds.ts';
import { countedBy, duration, hubLabels, type RuleOptions, securityEvents } from './promql.ts';
import type { Alert, Severity } from './rule.ts';

/** An alert on how often a security event happened. `what` follows the number in the description. */
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
    what: 'activations stand without a tool, since its name is taken',
  },
  {
    name: 'HestiaSkillUnregistrationFailing',
    severity: 'warning',
    events: ['SKILL_DEACTIVATION_UNREGISTRATION_FAILED'],
    threshold: thresholds.skillUnregistrationFailing,
    summary: 'A deactivated skill was not the tool it should have been',
    what: 'deactivations found no tool to take away',
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
    summary: 'A tool is not the one that was seen before, or speaks to the model behind its caller',
    what: `tool definitions were told as {{ $labels.${labels.securityEvent} }}`,
  },
  {
    name: 'HestiaAuthenticationFailures',
    severity: 'warning',
    events: ['AUTH_FAILED'],
    threshold: thresholds.authenticationFailures,
    summary: 'Many requests come without a valid key',
    what: 'requests had no valid key',
  },
  {
    name: 'HestiaAccessDenied',
    severity: 'warning',
    events: ['ACCESS_DENIED'],
    threshold: thresholds.accessDenied,
    summary: 'Many requests ask for what their key may not do',
    what: 'requests were refused for what their key may not do',
  },
  {
    name: 'HestiaAuditChainBroken',
    severity: 'critical',
    events: ['AUDIT_CHAIN_BROKEN'],
    threshold: thresholds.auditChainBroken,
    summary: 'The audit trail was changed',
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
