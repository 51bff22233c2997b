/** A demo agent: its own API key, and clients of the HTTP API and of the MCP endpoint. */
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { z } from 'zod';
import { createdKeyViewSchema } from '../../shapes/access.ts';
import type { JsonObject } from '../../shapes/json.ts';
import type { HubClient } from '../hub-client.ts';
import type { DemoRandom } from './random.ts';
import type { DemoSpan, DemoSpans } from './spans.ts';

/** The outcome of a demo step. `refused` covers every request that did not become a tool call. */
export type DemoOutcome = 'success' | 'error' | 'timeout' | 'abandoned' | 'refused';

/** The response to one request: its outcome, its error code if it was refused, its trace, and the parsed body. */
export interface DemoAnswer {
  outcome: DemoOutcome;
  code: string | undefined;
  traceId: string;
  body: unknown;
}

/** Options of a call. `abortAfterMs`: the caller cancels after this time. */
export interface DemoCallOptions {
  timeoutMs?: number;
  searchId?: string | undefined;
  abortAfterMs?: number;
  onProgress?: () => void;
  /** A client with another key than that of the agent. */
  client?: HubClient;
}

/** A demo agent. Disposing it closes its MCP session. The creator revokes its key. */
export interface DemoAgent extends AsyncDisposable {
  readonly name: string;
  readonly keyId: string;
  readonly hub: HubClient;
  readonly random: DemoRandom;
  http(path: string, request?: Parameters<HubClient['send']>[1], options?: DemoCallOptions): Promise<DemoAnswer>;
  /** Calls a tool of the hub's MCP endpoint. */
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
const failedResultSchema = z.object({ _meta: z.object({ 'hestia/error': problemSchema }) });
const protocolErrorSchema = z.object({ data: z.object({ code: z.string() }) });
const outcomeBodySchema = z.object({ outcome: z.enum(['success', 'error']) });

/** Options of {@link createDemoAgent}. */
export interface DemoAgentOptions {
  name: string;
  namespace: string;
  random: DemoRandom;
  /** The spans of its requests. */
  spans: DemoSpans;
  /** Cancels requests in progress. */
  signal: AbortSignal;
}

/** Creates the key and connects both clients. */
export async function createDemoAgent(
  operator: HubClient,
  { name, namespace, random, spans, signal }: DemoAgentOptions,
): Promise<DemoAgent> {
  const json = { agentId: name, namespace, role: 'agent' };
  const { key, keyId } = await operator.request('/v1/keys', createdKeyViewSchema, { json });
  const hub = operator.withKey(key);
  const client = new Client({ name, version: '1.0.0' }, { versionNegotiation: { mode: 'auto' } });
  const requestInit = { headers: { authorization: `Bearer ${key}` } };
  await client.connect(new StreamableHTTPClientTransport(new URL('/mcp', hub.url), { requestInit }));
  return {
    name,
    keyId,
    hub,
    random,
    http: (path, request, options = {}) => {
      const method = request?.method ?? (request?.json === undefined ? 'GET' : 'POST');
      const span = spans.start(`demo ${method} ${collectionOf(path)}`, name);
      const cancellation = cancellationOf(signal, options);
      const { traceparent } = span;
      const { client = hub } = options;
      return spanned(span, () =>
        httpAnswer(
          () => client.send(path, { ...request, traceparent, signal: cancellation }),
          span.traceId,
          cancellation,
        ),
      );
    },
    mcp: (toolName, args, options = {}) => {
      const span = spans.start(`demo tools/call ${toolName}`, name);
      return spanned(span, () => mcpAnswer(client, { toolName, args }, span, cancellationOf(signal, options), options));
    },
    [Symbol.asyncDispose]: () => client.close(),
  };
}

/** The collection that a path belongs to, such as `/v1/tools`: few values, as names of spans must have. */
function collectionOf(path: string): string {
  return path.split(/[/?]/).slice(0, 3).join('/');
}

/** Ends a span with the result of its request. */
async function spanned(span: DemoSpan, work: () => Promise<DemoAnswer>): Promise<DemoAnswer> {
  try {
    const answer = await work();
    span.end(answer.code);
    return answer;
  } catch (error) {
    span.end('failed');
    throw error;
  }
}

/** Aborts when the demo is interrupted, or when the caller cancels. */
function cancellationOf(signal: AbortSignal, { abortAfterMs }: DemoCallOptions): AbortSignal {
  return abortAfterMs === undefined ? signal : AbortSignal.any([signal, AbortSignal.timeout(abortAfterMs)]);
}

async function httpAnswer(
  send: () => ReturnType<HubClient['send']>,
  traceId: string,
  cancellation: AbortSignal,
): Promise<DemoAnswer> {
  try {
    const { status, body } = await send();
    const code = status < 400 ? undefined : (problemSchema.safeParse(body).data?.code ?? `HTTP_${status}`);
    return { outcome: outcomeOf(code, body), code, traceId, body };
  } catch (error) {
    if (!cancellation.aborted) throw error;
    return abandoned(traceId);
  }
}

async function mcpAnswer(
  client: Client,
  { toolName, args }: { toolName: string; args: JsonObject },
  { traceId, traceparent }: DemoSpan,
  cancellation: AbortSignal,
  { onProgress }: DemoCallOptions,
): Promise<DemoAnswer> {
  try {
    const result = await client.callTool(
      { name: toolName, arguments: args, _meta: { traceparent } },
      { signal: cancellation, ...(onProgress && { onprogress: onProgress }) },
    );
    const code = failedResultSchema.safeParse(result).data?._meta['hestia/error'].code;
    if (code !== undefined) return { outcome: outcomeOf(code, undefined), code, traceId, body: undefined };
    const outcome = result.isError === true ? 'error' : 'success';
    return { outcome, code, traceId, body: result.structuredContent };
  } catch (error) {
    if (cancellation.aborted) return abandoned(traceId);
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
