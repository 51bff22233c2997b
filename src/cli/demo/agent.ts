/** An agent of the demo: a key of its own, and both doors of the hub, HTTP and the official MCP client. */
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { z } from 'zod';
import type { JsonObject } from '../../shapes/json.ts';
import { type HubClient, newTraceId, newTraceparent } from '../hub-client.ts';
import { createdKeySchema } from '../key-commands.ts';
import type { DemoRandom } from './random.ts';

/** How something the demo did ended; `refused` is everything that never became a tool call. */
export type DemoOutcome = 'success' | 'error' | 'timeout' | 'abandoned' | 'refused';

/** What came of one call: the outcome, the refusal's code where there was one, the trace, and the parsed answer. */
export interface DemoAnswer {
  outcome: DemoOutcome;
  code: string | undefined;
  traceId: string;
  body: unknown;
}

/** How a call may go besides its arguments. `abortAfterMs`: the caller leaves then. */
export interface DemoCallOptions {
  timeoutMs?: number;
  searchId?: string | undefined;
  abortAfterMs?: number;
  onProgress?: () => void;
}

/** An agent. Disposing it closes its session; its key is revoked by whoever made it. */
export interface DemoAgent extends AsyncDisposable {
  readonly name: string;
  readonly keyId: string;
  readonly hub: HubClient;
  readonly random: DemoRandom;
  http(path: string, request?: Parameters<HubClient['send']>[1], options?: DemoCallOptions): Promise<DemoAnswer>;
  /** Calls a tool of the hub's own MCP endpoint. */
  mcp(toolName: string, args: JsonObject, options?: DemoCallOptions): Promise<DemoAnswer>;
}

const outcomesByCode: Readonly<Record<string, DemoOutcome>> = {
  TIMEOUT: 'timeout',
  ABANDONED: 'abandoned',
  INVALID_ARGUMENTS: 'error',
  INVALID_TOOL_SCHEMA: 'error',
  UPSTREAM_FAILED: 'error',
  RESPONSE_TOO_LARGE: 'error',
};

const problemSchema = z.object({ code: z.string() });
const protocolErrorSchema = z.object({ data: z.object({ code: z.string() }) });
const outcomeBodySchema = z.object({ outcome: z.enum(['success', 'error']) });

/** Creates the key and opens both doors. `signal` ends whatever is under way. */
export async function createDemoAgent(
  operator: HubClient,
  { name, namespace, random, signal }: { name: string; namespace: string; random: DemoRandom; signal: AbortSignal },
): Promise<DemoAgent> {
  const json = { agentId: name, namespace, role: 'agent' };
  const { key, keyId } = await operator.ask('/v1/keys', createdKeySchema, { json });
  const hub = operator.withKey(key);
  const client = new Client({ name, version: '1.0.0' }, { versionNegotiation: { mode: 'auto' } });
  const requestInit = { headers: { authorization: `Bearer ${key}` } };
  await client.connect(new StreamableHTTPClientTransport(new URL('/mcp', hub.url), { requestInit }));
  return {
    name,
    keyId,
    hub,
    random,
    http: (path, request, options = {}) =>
      httpAnswer(
        (ending, traceId) => hub.send(path, { ...request, traceId, signal: ending }),
        endingOf(signal, options),
      ),
    mcp: (toolName, args, options = {}) => mcpAnswer(client, { toolName, args }, endingOf(signal, options), options),
    [Symbol.asyncDispose]: () => client.close(),
  };
}

/** When a call ends early: with the demo, or when its caller leaves. */
function endingOf(signal: AbortSignal, { abortAfterMs }: DemoCallOptions): AbortSignal {
  return abortAfterMs === undefined ? signal : AbortSignal.any([signal, AbortSignal.timeout(abortAfterMs)]);
}

async function httpAnswer(
  send: (ending: AbortSignal, traceId: string) => ReturnType<HubClient['send']>,
  ending: AbortSignal,
): Promise<DemoAnswer> {
  const traceId = newTraceId();
  try {
    const { status, body } = await send(ending, traceId);
    const code = status < 400 ? undefined : (problemSchema.safeParse(body).data?.code ?? `HTTP_${status}`);
    return { outcome: outcomeOf(code, body), code, traceId, body };
  } catch (error) {
    if (!ending.aborted) throw error;
    return abandoned(traceId);
  }
}

async function mcpAnswer(
  client: Client,
  { toolName, args }: { toolName: string; args: JsonObject },
  ending: AbortSignal,
  { onProgress }: DemoCallOptions,
): Promise<DemoAnswer> {
  const traceId = newTraceId();
  try {
    const result = await client.callTool(
      { name: toolName, arguments: args, _meta: { traceparent: newTraceparent(traceId) } },
      { signal: ending, ...(onProgress && { onprogress: onProgress }) },
    );
    const outcome = result.isError === true ? 'error' : 'success';
    return { outcome, code: undefined, traceId, body: result.structuredContent };
  } catch (error) {
    if (ending.aborted) return abandoned(traceId);
    const code = protocolErrorSchema.safeParse(error).data?.data.code;
    if (code === undefined) throw error;
    return { outcome: outcomeOf(code, undefined), code, traceId, body: undefined };
  }
}

function outcomeOf(code: string | undefined, body: unknown): DemoOutcome {
  if (code !== undefined) return outcomesByCode[code] ?? 'refused';
  return outcomeBodySchema.safeParse(body).data?.outcome ?? 'success';
}

function abandoned(traceId: string): DemoAnswer {
  return { outcome: 'abandoned', code: undefined, traceId, body: undefined };
}
