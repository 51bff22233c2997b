/** The sections "HTTP" and "Error codes" of the reference, from the OpenAPI document and the closed list of codes. */
import { z } from 'zod';
import { protocolError } from '../../../src/mcp/tool-result.ts';
import { type ErrorCode, errorCodes, HestiaError } from '../../../src/shapes/error.ts';
import { searchAnswerSchema, toolReferenceSchema } from '../../../src/shapes/search-answer.ts';
import type { Log } from '../../../src/telemetry/log.ts';
import { codes, type JsonSchema, jsonSchemaSchema, propertiesOf, type Row, table, valuesOf } from './markdown.ts';

const operationSchema = z.object({
  summary: z.string(),
  parameters: z.array(z.object({ name: z.string(), in: z.string(), required: z.boolean().optional() })).optional(),
  requestBody: z.object({ content: z.record(z.string(), z.object({ schema: jsonSchemaSchema })) }).optional(),
  responses: z.record(z.string(), z.unknown()),
});
const documentSchema = z.object({ paths: z.record(z.string(), z.record(z.string(), operationSchema)) });
type Operation = z.infer<typeof operationSchema>;

/** Paths that the OpenAPI document leaves out. */
const otherPaths: Row[] = [
  ['`POST /mcp`, `GET /mcp`', 'The MCP endpoint; see [MCP](#mcp)'],
  ['`GET /sse`, `POST /sse?sessionId=…`', 'The same endpoint over HTTP+SSE, for older clients'],
  ['`GET /sse/{server}`, `GET /sse/all`', 'The endpoints of servers over HTTP+SSE'],
  ['`GET /openapi.json`', 'The OpenAPI 3.1 document of the paths above'],
  ['`GET /config.schema.json`', 'The JSON Schema of the configuration file'],
  ['`GET /docs`', 'The same API as pages for people'],
  [
    '`GET /.well-known/oauth-protected-resource`',
    'Protected resource metadata (RFC 9728); only with `policy.oauth`; needs no key',
  ],
];

/** The section "HTTP", with its heading. `openApi` is the parsed OpenAPI document. */
export function httpSection(openApi: unknown): string {
  const { paths } = documentSchema.parse(openApi);
  const rows = Object.entries(paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => operationRow(`${method.toUpperCase()} ${path}`, operation)),
  );
  return `## HTTP

JSON in and out, camelCase; times are ISO 8601 in UTC. \`Authorization: Bearer <key>\` is needed everywhere except where a row says so. For the pages
(\`/docs\`, \`/openapi.json\`, \`/config.schema.json\`) a browser may send the key as the password of Basic authentication.
[openapi.json](openapi.json) has every schema.

A list returns \`items\` and, where there may be more, \`nextCursor\`: repeat the request with \`cursor\` set to it. In the tables, \`?\` marks what may be
omitted.

${table(['request', 'does', 'query', 'body', 'success'], rows)}

Besides these:

${table(['request', 'does'], otherPaths)}

### The answer to a search

Over MCP (\`search_tools\`) the names are snake_case.

${table(['field', 'values', 'meaning'], [...fieldRows(searchAnswerSchema, ''), ...fieldRows(toolReferenceSchema, 'results[].')])}

## Error codes

Over HTTP a failure is \`application/problem+json\` (RFC 9457) with \`type\`, \`title\`, \`status\`, \`detail\`, \`code\`, and where they exist \`traceId\` and
\`violations\` (\`field\`, \`message\`) and \`content\`. 429 and 503 come with \`Retry-After\`, in seconds.

Over MCP the failure of a tool is a result with \`isError: true\`, which a model reads: the detail with the violations is its first text, and \`_meta["hestia/error"]\` has \`code\` and
\`violations\`. A JSON-RPC error with the code of the last column, and \`code\` and \`violations\` in its \`data\`, answers what is no call of a tool: a name that \`tools/list\` does not have, other methods,
\`ABANDONED\` and \`INTERNAL\`.

Where an upstream server answered with an error, its text follows as content that comes from that server: a text block with \`_meta["hestia/server_id"]\`, without control characters, at most
10,000 characters. It is the \`content\` of a problem over HTTP, and the second text over MCP. It is in no message, log line, span, metric or record of the hub.

A request that is
refused before its message is read, for example by authentication or a limit, is answered as over HTTP. What a caller may not see is answered as \`NOT_FOUND\`, exactly as what does not exist.

${table(['code', 'HTTP status', 'title', 'JSON-RPC code'], codeRows())}
`;
}

function operationRow(request: string, { summary, parameters = [], requestBody, responses }: Operation): Row {
  const query = parameters.filter((parameter) => parameter.in === 'query');
  const names = query.map(({ name, required }) => `\`${name}${required ? '' : '?'}\``);
  const statuses = Object.keys(responses).filter((status) => /^\d+$/.test(status));
  return [`\`${request}\``, summary, names.join(' '), bodyOf(requestBody), statuses.join(', ')];
}

function bodyOf(requestBody: Operation['requestBody']): string {
  return Object.entries(requestBody?.content ?? {})
    .map(([type, { schema }]) => (type === 'application/json' ? membersOf(schema) : type))
    .join(', or ');
}

/** The fields of an answer, each with `prefix` before its name. */
function fieldRows({ shape }: z.ZodObject, prefix: string): Row[] {
  // Without the id of the schema, which would make it a reference.
  const fields = propertiesOf(jsonSchemaSchema.parse(z.toJSONSchema(z.object(shape))));
  return fields.map(([name, field]) => [`\`${prefix}${name}\``, valuesOf(field), field.description ?? '']);
}

function membersOf(schema: JsonSchema): string {
  return codes(propertiesOf(schema).map(([name]) => name));
}

function codeRows(): Row[] {
  return Object.keys(errorCodes)
    .filter(isErrorCode)
    .map((code) => {
      const { status, title } = errorCodes[code];
      return [`\`${code}\``, String(status), title, String(protocolError(new HestiaError(code, ''), silentLog).code)];
    });
}

function isErrorCode(name: string): name is ErrorCode {
  return Object.hasOwn(errorCodes, name);
}

const silentLog: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  flush: () => undefined,
  close: async () => undefined,
};
