/** The MCP tools of the hub itself, such as `search_tools`: names, schemas, and one domain call each. */
import type { CallToolResult } from '@modelcontextprotocol/server';
import { z } from 'zod';
import type { Cleanup } from '../domain/cleanup.ts';
import type { HubStatus } from '../domain/hub-status.ts';
import type { ServerService } from '../domain/server-service.ts';
import type { SkillLifecycle } from '../domain/skill-lifecycle.ts';
import type { SkillService } from '../domain/skill-service.ts';
import type { CallOptions, ToolCall } from '../domain/tool-call.ts';
import type { ToolSearch } from '../domain/tool-search.ts';
import type { Caller } from '../shapes/access.ts';
import { HestiaError } from '../shapes/error.ts';
import type { JsonObject } from '../shapes/json.ts';
import { decodeCursor, pageOf, pageQuerySchema } from '../shapes/page.ts';
import { searchRequestSchema } from '../shapes/search-answer.ts';
import { hubServerId, serverView } from '../shapes/server.ts';
import { ttlSecondsSchema } from '../shapes/skill.ts';
import { printable, truncated } from '../shapes/text.ts';
import { type ToolDefinition, type ToolProgress, toolView } from '../shapes/tool.ts';
import { callArguments, plainCallArguments, serverArgument, toolArgument } from './call-arguments.ts';
import { activatedSkillView, hubStatusView, listedSkillView, schedulerStatusView } from './meta-tool-views.ts';
import { passedThrough } from './passed-result.ts';
import type { ClientDeclaration } from './request/client-declaration.ts';
import { withQualifiedUsage, withReadableLinks } from './server-endpoint/qualified-name.ts';
import { convertedArguments, declaredArguments } from './tolerant-arguments.ts';
import { invalidArguments, structuredResult } from './tool-result.ts';

/** Dependencies of the tools. */
export interface MetaToolsDeps {
  skills: SkillService;
  lifecycle: SkillLifecycle;
  servers: ServerService;
  toolSearch: ToolSearch;
  toolCall: ToolCall;
  cleanup: Cleanup;
  hubStatus: HubStatus;
}

/** One call of a tool: the caller, its cancellation, the receiver of progress, and the form of the result. */
export interface ToolInvocation {
  caller: Caller;
  signal: AbortSignal;
  onProgress: ((progress: ToolProgress) => void) | undefined;
  /** The protocol version of the client; undefined for one that names none. */
  protocolVersion: string | undefined;
  /** What the client declares to servers that may ask it for input. */
  client?: ClientDeclaration | undefined;
  /** The session of the client with a server, if it has one. */
  via?: CallOptions['via'];
}

/** One of the hub's own tools. */
export interface MetaTool {
  definition: ToolDefinition;
  /** @throws HestiaError of the domain, or INVALID_ARGUMENTS */
  call(args: unknown, invocation: ToolInvocation): Promise<CallToolResult>;
}

const skillArgument = z.strictObject({
  skill_name: z.string().min(1).describe('The name of a skill, as list_skills returns it.'),
});
const noArguments = z.strictObject({});
const pageArguments = z.strictObject({
  limit: z.int().min(1).max(200).default(50).describe('The most skills to return.'),
  cursor: pageQuerySchema.shape.cursor.meta({ description: 'The next_cursor of the previous page.' }),
});

const searchArguments = z.strictObject({
  query: searchRequestSchema.shape.query,
  limit: searchRequestSchema.shape.limit,
  source: searchRequestSchema.shape.source,
  server_id: searchRequestSchema.shape.serverId,
  explain: searchRequestSchema.shape.explain,
  defer_loading: z
    .boolean()
    .default(true)
    .describe('true: results without input schemas. false: results with input schemas.'),
});
const activateArguments = skillArgument.extend({
  ttl_seconds: ttlSecondsSchema.optional().describe('Deactivate after this number of seconds.'),
});

/** Creates the eleven tools, in the order of docs/reference.md, "MCP". */
export function createMetaTools(deps: MetaToolsDeps): MetaTool[] {
  return [...toolTools(deps), ...serverTools(deps), ...skillTools(deps), schedulerTool(deps)];
}

function toolTools({ toolSearch, toolCall }: MetaToolsDeps): MetaTool[] {
  return [
    metaTool(
      'search_tools',
      'Find tools, skills, prompts and resources by describing what you need. Then read the schema of a tool with get_tool_schema and call it with call_mcp_tool.',
      searchArguments,
      readOnly,
      async (args, { caller }) => {
        const { query, limit, source, server_id, explain, defer_loading } = args;
        const request = { query, limit, source, serverId: server_id, explain, includeSchemas: !defer_loading };
        return structuredResult(withQualifiedUsage(await toolSearch.search(caller, request)));
      },
    ),
    metaTool(
      'get_tool_schema',
      'Read one tool: its description, input schema and output schema.',
      toolArgument,
      readOnly,
      async ({ server_id, tool_name }, { caller }) =>
        structuredResult(toolView(await toolSearch.inspect(caller, { serverId: server_id, toolName: tool_name }))),
    ),
    withIgnoredHint(
      metaTool(
        'call_mcp_tool',
        'Call a tool of an upstream server, or of an active skill under the server id "hestia".',
        callArguments,
        {},
        async (args, { caller, protocolVersion, ...options }) => {
          const request = {
            serverId: args.server_id,
            toolName: args.tool_name,
            arguments: args.arguments,
            timeoutMs: args.timeout_ms,
            searchId: args.search_id,
          };
          const { result } = await toolCall.call(caller, request, options);
          return passedThrough(withReadableLinks(args.server_id, result), protocolVersion);
        },
        plainCallArguments,
      ),
    ),
  ];
}

/**
 * The tool, which ignores arguments that it does not declare, and says so after its result. A model that is told what it did
 * wrong does not repeat it; one that is refused may.
 */
function withIgnoredHint(tool: MetaTool): MetaTool {
  return {
    ...tool,
    call: async (args, invocation) => {
      const { declared, ignored } = declaredArguments(tool.definition.inputSchema, args);
      if (ignored.length === 0) return tool.call(declared, invocation);
      const hint = ignoredHint(ignored);
      try {
        const result = await tool.call(declared, invocation);
        return { ...result, content: [...result.content, hint] };
      } catch (error) {
        throw error instanceof HestiaError ? error.withContent(hint) : error;
      }
    },
  };
}

const ignoredNamesMax = 10;
const ignoredNameLengthMax = 64;

function ignoredHint(names: readonly string[]): { type: 'text'; text: string } {
  const shown = names.slice(0, ignoredNamesMax).map((name) => `"${printable(truncated(name, ignoredNameLengthMax))}"`);
  const more = names.length > ignoredNamesMax ? ` and ${names.length - ignoredNamesMax} more` : '';
  const text = `Hint of the hub: it ignored ${shown.join(', ')}${more}. Arguments for the tool belong in "arguments".`;
  return { type: 'text', text };
}

function serverTools({ servers, hubStatus }: MetaToolsDeps): MetaTool[] {
  return [
    metaTool(
      'list_mcp_servers',
      'List the upstream MCP servers and their state.',
      noArguments,
      readOnly,
      async (_args, { caller }) => structuredResult({ servers: (await servers.list(caller)).map(serverView) }),
    ),
    metaTool(
      'connect_mcp_server',
      'Connect an upstream server. For operators.',
      serverArgument,
      changes,
      async ({ server_id }, { caller }) => structuredResult(serverView(await servers.connect(caller, server_id))),
    ),
    metaTool(
      'disconnect_mcp_server',
      'Disconnect an upstream server until it is connected again. For operators.',
      serverArgument,
      changes,
      async ({ server_id }, { caller }) => structuredResult(serverView(await servers.disconnect(caller, server_id))),
    ),
    metaTool(
      'get_mcp_hub_status',
      'Read the status of the hub: servers, tools, skills, running calls, scheduler.',
      noArguments,
      readOnly,
      async (_args, { caller }) => structuredResult(hubStatusView(await hubStatus.read(caller))),
    ),
  ];
}

function skillTools({ skills, lifecycle }: MetaToolsDeps): MetaTool[] {
  return [
    metaTool(
      'list_skills',
      'List the published skills and which of them are active.',
      pageArguments,
      readOnly,
      async ({ limit, cursor }, { caller }) => {
        const found = await skills.list(caller, { limit, after: decodeCursor(cursor), namespace: caller.namespace });
        const page = pageOf(found, limit, {
          position: ({ skill }) => `${skill.namespace}/${skill.name}`,
          view: listedSkillView,
        });
        return structuredResult({ skills: page.items, nextCursor: page.nextCursor });
      },
    ),
    metaTool(
      'activate_skill',
      'Make a skill of yours a tool, skill_<name>, that everyone in your namespace can call.',
      activateArguments,
      changes,
      async ({ skill_name, ttl_seconds }, { caller }) =>
        structuredResult(
          activatedSkillView(await lifecycle.activate(caller, { name: skill_name }, { ttlSeconds: ttl_seconds })),
        ),
    ),
    metaTool(
      'deactivate_skill',
      'Remove the tool of a skill of yours.',
      skillArgument,
      changes,
      async ({ skill_name }, { caller }) =>
        structuredResult({
          skillName: skill_name,
          ...(await lifecycle.deactivate(caller, { name: skill_name })),
        }),
    ),
  ];
}

function schedulerTool({ cleanup }: MetaToolsDeps): MetaTool {
  return metaTool(
    'get_scheduler_status',
    'Read the status of the cleanup scheduler.',
    noArguments,
    readOnly,
    async (_args, { caller }) => structuredResult(schedulerStatusView(await cleanup.status(caller))),
  );
}

const readOnly = { readOnlyHint: true, openWorldHint: false };
const changes = { readOnlyHint: false, destructiveHint: false, idempotentHint: true, openWorldHint: false };

function metaTool<Schema extends z.ZodType>(
  toolName: string,
  description: string,
  schema: Schema,
  annotations: JsonObject,
  call: (args: z.output<Schema>, invocation: ToolInvocation) => Promise<CallToolResult>,
  plainForm: (args: unknown) => z.output<Schema> | undefined = () => undefined,
): MetaTool {
  const { $schema: _dialect, ...inputSchema } = z.toJSONSchema(schema, { io: 'input' });
  return {
    definition: {
      serverId: hubServerId,
      toolName,
      title: undefined,
      description,
      inputSchema,
      outputSchema: undefined,
      annotations,
    },
    call: async (args, invocation) => {
      const plain = plainForm(args);
      if (plain !== undefined) return call(plain, invocation);
      const parsed = schema.safeParse(convertedArguments(inputSchema, args));
      if (!parsed.success) throw invalidArguments(parsed.error);
      return call(parsed.data, invocation);
    },
  };
}
