/** The section "Spans" of the reference: every span that the hub creates, and what it carries. */
import { spanNames } from '../../../src/telemetry/names.ts';
import { codes, type Row, table } from './markdown.ts';

/** A span: when it is open, and its attributes besides `error.type`. */
interface SpanEntry {
  kind: 'SERVER' | 'CLIENT' | 'INTERNAL';
  when: string;
  attributes: readonly string[];
}

/** Spans whose names are fixed by `src/telemetry/names.ts`. An event's span has the event's attributes too. */
const fixedSpans: Readonly<Record<keyof typeof spanNames, Omit<SpanEntry, 'kind'>>> = {
  skillActivate: { when: 'A skill is activated.', attributes: ['security_event', 'hestia.skill.digest'] },
  skillDeactivate: { when: 'A skill is deactivated, or its time is over.', attributes: ['security_event'] },
  skillScan: {
    when: 'The content scan reports a skill.',
    attributes: ['security_event', 'hestia.skill.digest'],
  },
  skillRead: {
    when: 'An agent reads a file of a skill as a resource.',
    attributes: ['security_event'],
  },
  skillSync: {
    when: 'A change of a watched folder is published or removed; a root.',
    attributes: ['hestia.skill.name'],
  },
  toolSearch: {
    when: 'Tools are searched.',
    attributes: ['hestia.search.source', 'hestia.search.id', 'hestia.search.results', 'gen_ai.agent.id'],
  },
  toolRank: { when: 'The found tools are ranked, within `tool.search`.', attributes: [] },
  toolAdmit: { when: 'A changed or suspected tool of an upstream server is reported.', attributes: ['security_event'] },
  auditCheckpoint: { when: 'A checkpoint is signed; a root.', attributes: [] },
  schedulerStart: { when: 'The scheduler starts; a root.', attributes: ['monitoring_event'] },
  schedulerStop: { when: 'The scheduler stops; a root.', attributes: ['monitoring_event'] },
  schedulerCleanup: {
    when: 'A cleanup runs; a root.',
    attributes: ['monitoring_event', 'hestia.cleanup.deleted'],
  },
};

/** All other spans, by name; a name in braces is made of the request. */
const otherSpans: Readonly<Record<string, SpanEntry>> = {
  '{method} {route}': {
    kind: 'SERVER',
    when: 'An HTTP request, until its body ends. Its parent comes from `traceparent`. The probes, and requests refused by `limits.requestsRunningMax`, have none.',
    attributes: [
      ...['http.request.method', 'http.route', 'http.response.status_code', 'url.path', 'url.scheme'],
      ...['server.address', 'server.port', 'client.address', 'user_agent.original'],
    ],
  },
  '{mcp.method.name} {gen_ai.tool.name}': {
    kind: 'SERVER',
    when: 'An MCP request; the tool only for a known one. Where `params._meta` has a `traceparent`, that is its parent and the HTTP span is linked.',
    attributes: [
      ...['mcp.method.name', 'gen_ai.tool.name', 'gen_ai.operation.name', 'gen_ai.agent.id', 'jsonrpc.request.id'],
      ...['mcp.protocol.version', 'network.transport', 'rpc.response.status_code'],
    ],
  },
  'tools/call {gen_ai.tool.name}': {
    kind: 'CLIENT',
    when: 'A call of a tool of an upstream server, which gets the context in `params._meta` and, over HTTP, in `traceparent`.',
    attributes: [
      ...['mcp.method.name', 'gen_ai.operation.name', 'gen_ai.tool.name', 'gen_ai.agent.id', 'hestia.server.id'],
      ...['hestia.namespace', 'hestia.outcome', 'hestia.latency_ms', 'hestia.call.id', 'hestia.search.id'],
      ...['gen_ai.tool.call.arguments', 'gen_ai.tool.call.result'],
    ],
  },
  'execute_tool {gen_ai.tool.name}': {
    kind: 'INTERNAL',
    when: 'A call of the tool of a skill.',
    attributes: ['gen_ai.tool.type', 'as above, without `mcp.method.name`'],
  },
  'skill.publish': internal('A version of a skill is written.', ['hestia.skill.digest']),
  'skill.delete': internal('A skill is deleted.', ['hestia.skill.name']),
  'skill.retire': internal('A skill whose folder is missing is retired.', ['hestia.skill.name']),
  'skill.restore': internal('A retired skill whose folder is back is restored.', ['hestia.skill.name']),
  'server.connect': internal('An operator connects a server.', ['hestia.server.id']),
  'server.disconnect': internal('An operator disconnects a server.', ['hestia.server.id']),
  'server.change': internal('A server is added, changed or removed.', ['security_event', 'hestia.server.id']),
  'server.login': internal('A login to a server completes, or is found missing.', [
    'security_event',
    'hestia.server.id',
  ]),
  'server.logout': internal('A login to a server is deleted.', ['hestia.server.id']),
  'key.create': internal('An API key is created.', ['security_event']),
  'key.revoke': internal('An API key is revoked.', ['security_event']),
  'quarantine.approve': internal('An operator approves an entry of the quarantine.', []),
  'audit.verify': internal('A caller verifies the audit trail.', []),
  'audit.alarm': internal('The audit trail is reported as broken.', ['security_event']),
  'audit.key.rotate': internal('The key that signs checkpoints is replaced.', ['security_event']),
  'configuration.load': internal('The hub starts; a root.', []),
  authenticate: internal('A refused request is recorded, only where no span is active.', ['security_event']),
  'resources/subscribe': {
    kind: 'CLIENT',
    when: 'A client subscribes to a resource of an upstream server.',
    attributes: ['security_event'],
  },
  'session.open': internal('A person signs in to the console.', ['security_event']),
  'access.check': internal('A denied action is recorded, only where no span is active.', ['security_event']),
};

function internal(when: string, attributes: readonly string[]): SpanEntry {
  return { kind: 'INTERNAL', when, attributes };
}

/** The names of all spans. */
export const documentedSpans: readonly string[] = [...Object.values(spanNames), ...Object.keys(otherSpans)];

/** The section, with its heading. */
export function spansSection(): string {
  const fixed = Object.entries(fixedSpans).map(([key, entry]) => spanRow(nameOf(key), { ...entry, kind: 'INTERNAL' }));
  const others = Object.entries(otherSpans).map(([name, entry]) => spanRow(name, entry));
  return `## Spans

The instrumentation scope is \`hestia\`. A failed span has the status ERROR and \`error.type\`; for failures of the hub, that is the [error code](#error-codes).
The span of an event also has the attributes of its [fields](#event-fields). A REST request and an MCP request that do the same work have the same inner spans.
\`gen_ai.tool.call.arguments\` and \`gen_ai.tool.call.result\` exist only with \`HESTIA_CAPTURE_CONTENT=on\`.

${table(['span', 'kind', 'when', 'attributes'], [...others, ...fixed])}
`;
}

function spanRow(name: string, { kind, when, attributes }: SpanEntry): Row {
  const names = attributes.map((attribute) => (attribute.includes(' ') ? attribute : codes([attribute])));
  return [`\`${name}\``, kind, when, names.join(' ')];
}

function nameOf(key: string): string {
  const found = Object.entries(spanNames).find(([other]) => other === key);
  if (found === undefined) throw new Error(`no span has the key ${key}`);
  return found[1];
}
