/**
 * Names of events (closed lists) and their flat fields; docs/reference.md, "Events", describes each.
 * Spans, log lines, audit records and counters are all derived from one such event.
 */
import { z } from 'zod';
import { outcomes } from './audit-log/record-values.ts';

/** Values of the attribute `security_event` (docs/reference.md, "Security events"). */
export const securityEventSchema = z.enum([
  'SKILL_ACTIVATION_SUCCESS',
  'SKILL_ACTIVATION_REGISTRATION_FAILED',
  'SKILL_DEACTIVATION_SUCCESS',
  'SKILL_DEACTIVATION_UNREGISTRATION_FAILED',
  'SKILL_ACTIVATION_EXPIRED',
  'SKILL_INJECTION_ATTEMPT',
  'SKILL_CHANGED',
  'SKILL_READ',
  'PROMPT_READ',
  'RESOURCE_READ',
  'RESOURCE_SUBSCRIBED',
  'COMPLETION_READ',
  'CLIENT_INPUT_REQUESTED',
  'TOOL_DEFINITION_CHANGED',
  'TOOL_POISONING_SUSPECTED',
  'AUTH_FAILED',
  'ACCESS_DENIED',
  'RATE_LIMITED',
  'SIGNED_IN',
  'KEY_CREATED',
  'KEY_REVOKED',
  'AUDIT_CHAIN_BROKEN',
  'AUDIT_KEY_ROTATED',
  'SERVER_CHANGED',
  'SERVER_LOGIN_REQUIRED',
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

/** How a tool call ended. `abandoned`: the caller disconnected or cancelled. `timeout`: the hub's deadline passed. */
export const outcomeSchema = z.enum(outcomes);
export type Outcome = z.infer<typeof outcomeSchema>;

/** Flat snake_case fields of an event. A value of `undefined` is left out everywhere. */
export type EventFields = Record<string, string | number | boolean | undefined>;

/** The field `event` of the log line of a tool call. Scripts match it verbatim. */
export const toolOutcomeMessage = 'Tool outcome recorded';

/**
 * An event, emitted once to every sink.
 * `security` and `monitoring` carry a name of the closed lists. `tool_outcome` is a finished tool call. `change` is any other
 * recorded change of state, such as a published skill or a connected server.
 */
export type HubEvent = { fields: EventFields } & (
  | { kind: 'security'; name: SecurityEvent; failed: boolean }
  | { kind: 'monitoring'; name: MonitoringEvent; failed: boolean }
  | { kind: 'tool_outcome'; outcome: Outcome }
  | { kind: 'change'; name: ChangeEvent }
);

/** Recorded changes of state that are neither security nor monitoring events. */
export const changeEventSchema = z.enum([
  'SKILL_PUBLISHED',
  'SKILL_DELETED',
  'SKILL_RETIRED',
  'SKILL_RESTORED',
  'SERVER_CONNECT_REQUESTED',
  'SERVER_DISCONNECT_REQUESTED',
  'SERVER_LOGGED_IN',
  'SERVER_LOGGED_OUT',
  'QUARANTINE_APPROVED',
  'QUARANTINE_REFUSED',
  'AUDIT_PRUNED',
  'AUDIT_CHECKPOINT',
  'CONFIGURATION_LOADED',
]);
export type ChangeEvent = z.infer<typeof changeEventSchema>;

/** The event of the record of a tool call. */
export const toolOutcomeEvent = 'TOOL_OUTCOME';

/** The names of all events in audit records. */
export const eventNameSchema = z.enum([
  toolOutcomeEvent,
  ...securityEventSchema.options,
  ...monitoringEventSchema.options,
  ...changeEventSchema.options,
]);
