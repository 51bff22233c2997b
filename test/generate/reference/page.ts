/** docs/reference.md: the public names of the hub, made from the schemas and instruments that define them. */
import { startTestHub } from '../../support/hub/hub.ts';
import { commandsSection } from './commands.ts';
import { configurationSection } from './configuration.ts';
import { eventsSection } from './events.ts';
import { httpSection } from './http.ts';
import { mcpSection } from './mcp.ts';
import { metricsSection } from './metrics.ts';
import { spansSection } from './spans.ts';

const head = `<!-- Made by \`npm run generate\` from the code; changes here are lost. -->

# Reference

The names that users, dashboards, alert rules and scripts may rely on. They are stable: changing or removing one is a breaking change, and is listed in the
[changelog](../CHANGELOG.md). Everything else, such as the wording of other log lines, may change with any version.

- [Configuration](#configuration): environment variables and the configuration file
- [HTTP](#http) and [error codes](#error-codes)
- [MCP](#mcp): tools and their arguments
- [Events](#events): names, log lines and fields
- [Log lines](#log-lines)
- [Spans](#spans)
- [Metrics](#metrics)
- [Commands](#commands)

A field has one spelling in one place: camelCase over HTTP, in the configuration file and in what commands print, snake_case in MCP tools, log lines and audit records, dots in spans and
metrics. \`agentId\`, \`agent_id\` and \`gen_ai.agent.id\` are the same thing. Audit records are described in [audit.md](audit.md#what-is-kept).
`;

const logLines = `## Log lines

NDJSON, one object a line: \`timestamp\` (ISO 8601, UTC), \`level\` (\`debug\`, \`info\`, \`warn\`, \`error\`), \`message\`, then \`trace_id\` and \`span_id\` where a span is active, and flat
fields. A line of an event has \`security_event\`, \`monitoring_event\` or \`change_event\` and the event's [fields](#event-fields); its message begins as in the tables above, followed by what the event is about, the agent and the reason. A failure of
the hub adds \`exception_type\`, \`exception_message\` and \`exception_stacktrace\`. The same line leaves as an OpenTelemetry log record, with the message as its body, the fields as
its attributes and \`exception.type\`, \`exception.message\` and \`exception.stacktrace\`.

These commands work as written:

\`\`\`sh
grep "SKILL_ACTIVATION" data/hestia.log | jq '{time: .timestamp, skill: .skill_name, event: .security_event, agent: .agent_id}'
grep "Tool outcome recorded" data/hestia.log | jq -r '.outcome' | sort | uniq -c
grep "SCHEDULER_" data/hestia.log | jq '{time: .timestamp, event: .monitoring_event, details: .}'
\`\`\`
`;

/** The page. `openApi` is the parsed OpenAPI document; the tools are those that a new hub lists. */
export async function referencePage(openApi: unknown): Promise<string> {
  await using hub = await startTestHub();
  const listed = await hub.operator.fetch('/mcp', {
    json: { jsonrpc: '2.0', id: 1, method: 'tools/list' },
    headers: { accept: 'application/json, text/event-stream' },
  });
  return [
    head,
    configurationSection(),
    httpSection(openApi),
    mcpSection(messageOf(await listed.text())),
    eventsSection(),
    logLines,
    spansSection(),
    metricsSection(),
    commandsSection(),
  ].join('\n');
}

/** A JSON-RPC message that came as the one event of a stream, or as JSON. */
function messageOf(body: string): unknown {
  return JSON.parse(/^data: (.*)$/m.exec(body)?.[1] ?? body);
}
