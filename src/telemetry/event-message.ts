/** Messages of the log lines of events: what happened, to what, and by which agent, in one sentence. */
import type { EventFields, HubEvent, Outcome } from '../shapes/event.ts';
import { truncated } from '../shapes/text.ts';

/** The longest part of a message that comes from fields, in UTF-16 units. */
const detailsLengthMax = 300;

/** The message of an event, such as `add_numbers on everything: timeout after 30 s, agent billing-bot`. */
export function eventMessage(event: HubEvent): string {
  const { fields } = event;
  switch (event.kind) {
    case 'security':
      return withDetails(`Security event: ${sentence(event.name)}`, fields);
    case 'monitoring':
      return withDetails(`Scheduler event: ${sentence(event.name)}`, fields);
    case 'change':
      return withDetails(capitalised(sentence(event.name)), fields);
    case 'tool_outcome':
      return truncated(callMessage(event.outcome, fields), detailsLengthMax);
    default:
      return event satisfies never;
  }
}

function callMessage(outcome: Outcome, fields: EventFields): string {
  const { tool_name: tool, server_id: server, agent_id: agent, latency_ms: latencyMs, error_type: errorType } = fields;
  // The type of a timeout is its outcome, and that of an abandoned call says no more.
  const why = outcome === 'error' && errorType !== undefined ? ` (${errorType})` : '';
  return `${tool} on ${server}: ${outcome}${why} after ${length(latencyMs)}, agent ${agent}`;
}

/** Adds the subject, the agent and the reason, as far as the event has them. */
function withDetails(headline: string, fields: EventFields): string {
  const { agent_id: agent, error_type: errorType, reason, deleted_count: deleted, failed_parts: failed } = fields;
  const details = [
    subjectOf(fields),
    agent !== undefined && `agent ${agent}`,
    errorType ?? reason,
    deleted !== undefined && `${deleted} deleted`,
    failed,
  ].filter((part) => part !== undefined && part !== false && part !== '');
  return details.length === 0 ? headline : `${headline}: ${truncated(details.join(', '), detailsLengthMax)}`;
}

function subjectOf(fields: EventFields): string | undefined {
  const { skill_name: skill, version, server_id: server, tool_name: tool, action, role } = fields;
  if (skill !== undefined) return version === undefined ? `${skill}` : `${skill} version ${version}`;
  const offer = tool ?? fields.prompt_name ?? fields.resource_uri;
  if (offer !== undefined) return server === undefined ? `${offer}` : `${offer} on ${server}`;
  const other = server ?? fields.key_id ?? (role === undefined ? undefined : action);
  return other === undefined ? undefined : `${other}`;
}

/** Milliseconds as `52 ms`, or as `1.5 s` from one second. */
function length(milliseconds: EventFields[string]): string {
  const value = Number(milliseconds);
  if (!Number.isFinite(value)) return 'an unknown time';
  return value < 1000 ? `${Math.round(value)} ms` : `${Number((value / 1000).toFixed(1))} s`;
}

/** `SKILL_CHANGED` as `skill changed`. */
function sentence(name: string): string {
  return name.toLowerCase().replaceAll('_', ' ');
}

function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
