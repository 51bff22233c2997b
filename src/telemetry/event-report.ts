/**
 * Reports an event to all signals: span attributes, counters and a log line.
 * They have the same names and ids. The domain writes the audit record before. Reporting must not fail or wait.
 */
import type { Span } from '@opentelemetry/api';
import type { HubEvent, SecurityEvent } from '../shapes/event.ts';
import { toolOutcomeMessage } from '../shapes/event.ts';
import { eventMessage } from './event-message.ts';
import type { Log, LogLevel } from './log.ts';
import type { Metrics } from './metrics.ts';
import { attributes, eventFieldAttributes } from './names.ts';

/**
 * Reports an event. The log line has the ids of `span`, which receives the attributes. Repeated refusals are reported in parts:
 * each to its span and the metrics, and their count to the log.
 */
export type EventReport = (event: HubEvent, span: Span, sinks?: 'all' | 'span and metrics' | 'log') => void;

/** Creates the report for a log and metrics. */
export function createEventReport({
  log,
  metrics,
}: {
  log: Pick<Log, LogLevel>;
  metrics: Pick<Metrics, 'securityEvent'>;
}): EventReport {
  return (event, span, sinks = 'all') => {
    if (sinks !== 'log') {
      setSpanAttributes(event, span);
      if (event.kind === 'security') metrics.securityEvent(event.name);
    }
    if (sinks !== 'span and metrics') writeLogLine(log, event, span);
  };
}

function writeLogLine(log: Pick<Log, LogLevel>, event: HubEvent, span: Span): void {
  const message = eventMessage(event);
  switch (event.kind) {
    case 'security':
      log[securityLevel(event)](message, { security_event: event.name, ...event.fields }, { span });
      return;
    case 'monitoring':
      log[event.failed ? 'error' : 'info'](message, { monitoring_event: event.name, ...event.fields }, { span });
      return;
    case 'tool_outcome':
      log[event.outcome === 'success' ? 'info' : 'warn'](
        message,
        { event: toolOutcomeMessage, ...event.fields },
        { span },
      );
      return;
    case 'change':
      log.info(message, { change_event: event.name, ...event.fields }, { span });
      return;
    default:
      event satisfies never;
  }
}

function setSpanAttributes(event: HubEvent, span: Span): void {
  if (event.kind === 'security') span.setAttribute(attributes.securityEvent, event.name);
  if (event.kind === 'monitoring') span.setAttribute(attributes.monitoringEvent, event.name);
  for (const [field, value] of Object.entries(event.fields)) {
    if (value !== undefined) span.setAttribute(eventFieldAttributes[field] ?? `hestia.event.${field}`, value);
  }
}

/** A failed verification of the audit trail is an error; any other failed event is a warning. */
function securityLevel({ name, failed }: { name: SecurityEvent; failed: boolean }): 'info' | 'warn' | 'error' {
  if (name === 'AUDIT_CHAIN_BROKEN') return 'error';
  return failed ? 'warn' : 'info';
}
