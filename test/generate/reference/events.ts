/** The section "Events" of the reference: the closed lists with what the hub writes for each event, and the fields. */
import { ROOT_CONTEXT, trace } from '@opentelemetry/api';
import {
  type ChangeEvent,
  changeEventSchema,
  type HubEvent,
  type MonitoringEvent,
  monitoringEventSchema,
  outcomeSchema,
  type SecurityEvent,
  securityEventSchema,
  toolOutcomeMessage,
} from '../../../src/shapes/event.ts';
import { toolErrorTypeSchema } from '../../../src/shapes/tool.ts';
import { createEventReport } from '../../../src/telemetry/event-report.ts';
import { eventFieldAttributes } from '../../../src/telemetry/names.ts';
import { fieldMeanings } from './event-fields.ts';
import { codes, described, type Row, table } from './markdown.ts';

/** When an event happens, whether it is a failure, and its fields. */
export interface EventEntry {
  when: string;
  failed?: true;
  fields: readonly string[];
}

const skill = ['skill_id', 'skill_name', 'tool_name', 'agent_id', 'namespace', 'version'];
const tool = ['server_id', 'tool_name', 'agent_id', 'namespace', 'digest', 'action', 'quarantine_id'];
const key = ['key_id', 'agent_id', 'namespace', 'role', 'expires_at', 'scope'];
const server = ['server_id', 'agent_id', 'namespace'];
const totals = ['total_cleanups', 'total_deleted', 'last_run_time'];
const findings = ['rule_ids', 'severity', 'lines'];

const securityEvents: Readonly<Record<SecurityEvent, EventEntry>> = {
  SKILL_ACTIVATION_SUCCESS: {
    when: 'A skill is activated and its tool is registered.',
    fields: [...skill, 'activation_id', 'automatic'],
  },
  SKILL_ACTIVATION_REGISTRATION_FAILED: {
    when: 'A skill is activated, but another tool has the name of its tool. The activation is kept.',
    failed: true,
    fields: [...skill, 'activation_id', 'automatic', 'error_type'],
  },
  SKILL_DEACTIVATION_SUCCESS: {
    when: 'A skill is deactivated and its tool is removed.',
    fields: [...skill, 'activation_id', 'duration_ms'],
  },
  SKILL_DEACTIVATION_UNREGISTRATION_FAILED: {
    when: 'A skill is deactivated or its time is over, but it had no tool to remove.',
    failed: true,
    fields: [...skill, 'activation_id', 'duration_ms', 'error_type'],
  },
  SKILL_ACTIVATION_EXPIRED: {
    when: 'The time of an activation is over; its tool is removed.',
    fields: [...skill, 'activation_id', 'duration_ms'],
  },
  SKILL_INJECTION_ATTEMPT: {
    when: 'The content scan reports a skill that is published, activated or read, or one of an upstream server. At publication there is no `skill_id` and `version`; with the action `warn` the level is info.',
    failed: true,
    fields: [...skill, 'server_id', ...findings, 'digest', 'action', 'step', 'quarantine_id', 'error_type'],
  },
  SKILL_CHANGED: {
    when: 'An active skill gets a new version. The activation stays on the older one.',
    fields: [...skill, 'activation_id', 'active_version'],
  },
  SKILL_READ: {
    when: 'An agent reads a file of a skill as a resource of the Skills extension. The skill of an upstream server has no `skill_id`, `tool_name` and `version`; a read that fails has the level warn.',
    fields: [...skill, 'server_id', 'file', 'digest', 'bytes', 'error_type'],
  },
  PROMPT_READ: {
    when: 'An agent gets a prompt of an upstream server. A request that fails has the level warn.',
    fields: [...server, 'prompt_name', 'latency_ms', 'error_type'],
  },
  RESOURCE_READ: {
    when: 'An agent reads a resource of an upstream server. The URI is recorded without its query. A read that fails has the level warn.',
    fields: [...server, 'resource_uri', 'latency_ms', 'error_type'],
  },
  RESOURCE_SUBSCRIBED: {
    when: 'An agent subscribes to updates of a resource of an upstream server.',
    fields: [...server, 'resource_uri', 'error_type'],
  },
  COMPLETION_READ: {
    when: 'An agent requests completion of an argument of a prompt or of a resource template.',
    fields: [...server, 'prompt_name', 'resource_uri', 'latency_ms', 'error_type'],
  },
  CLIENT_INPUT_REQUESTED: {
    when: 'A server asks the client of an agent for input (sampling, elicitation or roots) in a session of that client. One that the client refuses has the level warn.',
    fields: [...server, 'mcp_method', 'latency_ms', 'error_type'],
  },
  TOOL_DEFINITION_CHANGED: {
    when: 'An upstream server lists a tool with another definition than the pinned one. `changed_fields` is `unknown` if the old definition is no longer stored.',
    failed: true,
    fields: [...tool, 'previous_digest', 'changed_fields', 'count'],
  },
  TOOL_POISONING_SUSPECTED: {
    when: 'The content scan has a finding of severity `critical` or `high` in the definition of an upstream tool.',
    failed: true,
    fields: [...tool, ...findings, 'count'],
  },
  AUTH_FAILED: { when: 'A request has no valid key or token.', failed: true, fields: ['agent_id', 'error_type'] },
  ACCESS_DENIED: {
    when: 'A caller may not do what it requests. `server_id` and `tool_name` are those that a limited key asked for and does not find.',
    failed: true,
    fields: ['agent_id', 'namespace', 'role', 'action', 'target_namespace', 'server_id', 'tool_name', 'error_type'],
  },
  RATE_LIMITED: {
    when: 'A key or an address exceeds its limit; once for each key or address and minute.',
    failed: true,
    fields: ['agent_id', 'namespace', 'limit'],
  },
  SIGNED_IN: {
    when: 'A person signs in to the console. `method` is `key`, `link` or `issuer`.',
    fields: ['key_id', 'agent_id', 'namespace', 'role', 'method'],
  },
  KEY_CREATED: { when: 'An API key is created.', fields: key },
  KEY_REVOKED: { when: 'An API key is revoked.', fields: key },
  AUDIT_CHAIN_BROKEN: {
    when: 'A verification finds a record or checkpoint that does not hold, or a start finds another journal than was signed.',
    failed: true,
    fields: ['agent_id', 'namespace', 'audit_seq', 'audit_checkpoint', 'reason'],
  },
  AUDIT_KEY_ROTATED: {
    when: 'The key that signs checkpoints is replaced.',
    fields: ['agent_id', 'namespace', 'vkey', 'previous_vkey', 'signs_until'],
  },
  SERVER_CHANGED: {
    when: 'A server is added to the configuration, changed or removed while the hub runs. If one tool is switched on or off by the API, `tool_name` names it. With the level warn: a server is quarantined because it died too often.',
    fields: [...server, 'tool_name', 'enabled', 'change', 'source', 'error_type'],
  },
  SERVER_LOGIN_REQUIRED: {
    when: 'A server refuses requests until a person logs in. `reason` says why: `no_login`, `login_lost` (the login is no longer accepted) or `scope` (it lacks permissions). Repeated only after a login.',
    fields: [...server, 'reason', 'login_command'],
  },
};

const monitoringEvents: Readonly<Record<MonitoringEvent, EventEntry>> = {
  SCHEDULER_START: { when: 'The scheduler starts.', fields: ['interval_hours', 'next_run_time'] },
  SCHEDULER_STOP: { when: 'The scheduler stops.', fields: totals },
  SCHEDULER_CLEANUP_SUCCESS: { when: 'A cleanup finished.', fields: ['deleted_count', 'run_ms', ...totals] },
  SCHEDULER_CLEANUP_FAILED: {
    when: 'A cleanup finished, but a part of it failed.',
    failed: true,
    fields: ['error_type', 'failed_parts', 'deleted_count', 'run_ms', 'total_cleanups_attempted'],
  },
};

const changeEvents: Readonly<Record<ChangeEvent, EventEntry>> = {
  SKILL_PUBLISHED: { when: 'A skill gets its first or a further version.', fields: [...skill, 'digest'] },
  SKILL_DELETED: { when: 'A skill is deleted.', fields: skill },
  SKILL_RETIRED: { when: 'The folder of a skill has been missing for the grace period.', fields: skill },
  SKILL_RESTORED: { when: 'The folder of a retired skill is back.', fields: skill },
  SERVER_CONNECT_REQUESTED: { when: 'An operator connects a server.', fields: server },
  SERVER_DISCONNECT_REQUESTED: { when: 'An operator disconnects a server.', fields: server },
  SERVER_LOGGED_IN: { when: 'The hub, or an agent, has logged in to a server.', fields: [...server, 'identity'] },
  SERVER_LOGGED_OUT: { when: 'A login to a server is deleted.', fields: [...server, 'identity'] },
  QUARANTINE_APPROVED: {
    when: 'An operator approves an entry of the quarantine.',
    fields: [
      ...['quarantine_id', 'skill_name', 'skill_namespace', 'server_id', 'tool_name'],
      ...['digest', 'state_before', 'agent_id', 'namespace'],
    ],
  },
  QUARANTINE_REFUSED: {
    when: 'An operator refuses an entry of the quarantine, whose content then cannot be used.',
    fields: [
      ...['quarantine_id', 'skill_name', 'skill_namespace', 'server_id', 'tool_name'],
      ...['digest', 'state_before', 'reason', 'agent_id', 'namespace'],
    ],
  },
  AUDIT_PRUNED: { when: 'A cleanup deletes audit records past their retention.', fields: ['agent_id', 'records'] },
  AUDIT_CHECKPOINT: {
    when: 'A checkpoint is signed. Log line and span only: it is no record of the trail.',
    fields: ['audit_seq', 'checkpoint'],
  },
  CONFIGURATION_LOADED: {
    when: 'The hub starts.',
    fields: ['hub_version', 'configuration_digest', 'torn_bytes', 'unsigned_records'],
  },
};

const toolOutcome: EventEntry = {
  when: 'A tool call ended.',
  fields: [
    ...['server_id', 'tool_name', 'outcome', 'latency_ms', 'agent_id', 'namespace'],
    ...['call_id', 'search_id', 'credited_search_id', 'error_type'],
  ],
};

/** Every event by its name in the audit trail. */
export const eventEntries: Readonly<Record<string, EventEntry>> = {
  ...securityEvents,
  ...monitoringEvents,
  ...changeEvents,
  TOOL_OUTCOME: toolOutcome,
};

/** The section, with its heading. */
export function eventsSection(): string {
  const security = securityEventSchema.options.map((name) =>
    eventRow({ kind: 'security', name, failed: securityEvents[name].failed === true, fields: {} }),
  );
  const monitoring = monitoringEventSchema.options.map((name) =>
    eventRow({ kind: 'monitoring', name, failed: monitoringEvents[name].failed === true, fields: {} }),
  );
  const changes = changeEventSchema.options.map((name) => eventRow({ kind: 'change', name, fields: {} }));
  const head = ['event', 'when', 'log line', 'fields'];
  return `## Events

Each event is reported once to every sink, with the same fields and ids: as attributes of the operation's span, as a log line and log record, as a record of the audit
trail and, for security events and tool outcomes, as a counter. A field without a value is absent.

### Security events

The attribute \`security_event\` of spans and log lines, and the field \`event\` of audit records.

Of refusals (\`AUTH_FAILED\`, \`ACCESS_DENIED\`, \`RATE_LIMITED\`, requests of servers that a client refuses) the first is recorded at once, and repeats as one record a minute with \`count\`: as many as it stands for. Of
different ones of a key, address or server, also of findings of the content scan, the first 100 in a minute are recorded one by one, and the others as such a count.

${table(head, security)}

### Scheduler events

The attribute \`monitoring_event\`.

${table(head, monitoring)}

### Tool outcomes

A finished tool call has no event attribute. Its log line has the field \`event\` with the value \`${toolOutcomeMessage}\`, a message such as
\`add_numbers on everything: timeout after 30 s, agent billing-bot\`, and the level \`info\` for a success and \`warn\` otherwise; its audit record has the event \`TOOL_OUTCOME\`. Fields: ${codes(toolOutcome.fields)}.

\`outcome\` is one of ${codes(outcomeSchema.options)}. \`success\`: the tool returned a result. \`error\`: it reported an error, or could not be called. \`timeout\`: the deadline
passed. \`abandoned\`: the caller cancelled or disconnected; the upstream server is sent \`notifications/cancelled\`. \`error_type\` is one of
${codes(toolErrorTypeSchema.options)}.

### Change events

The field \`change_event\` of log lines: other changes of state that are recorded.

${table(head, changes)}

### Event fields

On a span, a field is an attribute.

${table(['field', 'meaning', 'span attribute'], fieldRows())}
`;
}

function eventRow(event: Exclude<HubEvent, { kind: 'tool_outcome' }>): Row {
  const { when, fields } = described(eventEntries, event.name);
  return [`\`${event.name}\``, when, logLineOf(event), codes(fields)];
}

/** The level and message that the hub logs for an event, by reporting one. */
function logLineOf(event: HubEvent): string {
  let line = '';
  const writer = (level: string) => (message: string) => {
    line = `${level}: \`${message}\``;
  };
  const log = { debug: writer('debug'), info: writer('info'), warn: writer('warn'), error: writer('error') };
  const report = createEventReport({ log, metrics: { securityEvent: () => undefined } });
  report(event, trace.getTracer('none').startSpan('none', {}, ROOT_CONTEXT));
  return line;
}

function fieldRows(): Row[] {
  const names = new Set(Object.values(eventEntries).flatMap(({ fields }) => fields));
  return [...names]
    .toSorted()
    .map((name) => [
      `\`${name}\``,
      described(fieldMeanings, name),
      `\`${eventFieldAttributes[name] ?? `hestia.event.${name}`}\``,
    ]);
}
