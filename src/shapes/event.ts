/**
 * Names of events (closed lists) and their flat fields; docs/reference.md, "Events", describes each.
 * Spans, log lines, audit records and counters are all made from one such event.
 */
import { z } from 'zod';

/** Values of the attribute `security_event` (docs/reference.md, "Security events"). */
export const securityEventSchema = z.enum([
  'SKILL_ACTIVATION_SUCCESS',
  'SKILL_ACTIVATION_REGISTRATION_FAILED',
  'SKILL_DEACTIVATION_SUCCESS',
  'SKILL_DEACTIVATION_UNREGISTRATION_FAILED',
  'SKILL_ACTIVATION_EXPIRED',
  'SKILL_INJECTION_ATTEMPT',
  'SKILL_CHANGED',
  'TOOL_DEFINITION_CHANGED',
  'TOOL_POISONING_SUSPECTED',
  'AUTH_FAILED',
  'ACCESS_DENIED',
  'RATE_LIMITED',
  'KEY_CREATED',
  'KEY_REVOKED',
  'AUDIT_CHAIN_BROKEN',
]);
export type SecurityEvent = z.infer<typeof securityEventSchema>;

/** Values of the attribute `monitoring_event` (docs/reference.md, "Scheduler events"). */
export const monitoringEventSchema = z.enum([
  'SCHEDULER_START',
  'SCHEDULER_STOP',
  'SCHEDULER_CLEANUP_SUCCESS',
  'SCHEDULER_CLEANUP_FAILED',
]);
export type MonitoringEvent = z.infer<typeof monitoringEventSchema>;

/** How a tool call ended. `abandoned`: the caller went away or cancelled. `timeout`: the hub's deadline. */
export const outcomeSchema = z.enum(['success', 'error', 'timeout', 'abandoned']);
export type Outcome = z.infer<typeof outcomeSchema>;

/** Flat snake_case fields of an event. A value of `undefined` is left out everywhere. */
export type EventFields = Record<string, string | number | boolean | undefined>;

/** The message of the one log line of a tool call; scripts look for it verbatim. */
export const toolOutcomeMessage = 'Tool outcome recorded';

/**
 * One happening, told once and heard by every sink.
 * `security` and `monitoring` carry a name of the closed lists; `tool_outcome` is a finished tool call;
 * `change` is any other change of state that belongs on record (a skill published, a server connected).
 */
export type HubEvent = { fields: EventFields } & (
  | { kind: 'security'; name: SecurityEvent; failed: boolean }
  | { kind: 'monitoring'; name: MonitoringEvent; failed: boolean }
  | { kind: 'tool_outcome'; outcome: Outcome }
  | { kind: 'change'; name: ChangeEvent }
);

/** Changes of state that are on record but are neither security nor monitoring events. */
export const changeEventSchema = z.enum([
  'SKILL_PUBLISHED',
  'SKILL_DELETED',
  'SERVER_CONNECT_REQUESTED',
  'SERVER_DISCONNECT_REQUESTED',
  'QUARANTINE_APPROVED',
  'AUDIT_PRUNED',
  'AUDIT_CHECKPOINT',
  'CONFIGURATION_LOADED',
]);
export type ChangeEvent = z.infer<typeof changeEventSchema>;
