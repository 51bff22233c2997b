/** Tool calls at an MCP endpoint: the fast path, the relay of progress, and cancellation by a session. */
import type { CallToolResult, ProtocolError, ServerContext } from '@modelcontextprotocol/server';
import { z } from 'zod';
import type { Caller } from '../../shapes/access.ts';
import type { Log } from '../../telemetry/log.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import type { PlainCall } from '../fast-path.ts';
import type { HubTools } from '../hub-tools.ts';
import type { LegacySessions } from '../legacy-session.ts';
import type { ToolInvocation } from '../meta-tools.ts';
import { type RequestEnding, traceRequest } from '../request-span.ts';
import { protocolError } from '../tool-result.ts';
import { declarationOf } from './client-declaration.ts';

/** The header with the id of a session of a 2025-era client. */
export const sessionHeader = 'mcp-session-id';
/** The header with the protocol version of the client. */
export const versionHeader = 'mcp-protocol-version';

const cancelledSchema = z.looseObject({ requestId: z.union([z.string().max(256), z.number()]) });

/** Dependencies of {@link callOnFastPath}. */
export interface FastCallDeps {
  metrics: Metrics;
  log: Log;
}

/** The tools of an endpoint, and the calls that are running. */
export interface CalledTools {
  tools: Pick<HubTools, 'isKnown' | 'call'>;
  sessions: LegacySessions;
}

/** Calls a tool without a server of the SDK. The call is cancelled when the client disconnects, or by its session. */
export async function callOnFastPath(
  { metrics, log }: FastCallDeps,
  { tools, sessions }: CalledTools,
  { id, toolName, arguments: args, meta, revision }: PlainCall,
  { request, caller }: { request: Request; caller: Caller },
): Promise<RequestEnding<CallToolResult, ProtocolError> | 'cancelled'> {
  const client = revision === undefined ? undefined : declarationOf({ _meta: meta });
  const sessionId = request.headers.get(sessionHeader) ?? undefined;
  const call = sessions.open({ keyId: caller.keyId, sessionId, requestId: id }, request.signal);
  const knownName = tools.isKnown(caller, toolName) ? toolName : undefined;
  const traced = { method: 'tools/call', toolName: knownName, id, protocolVersion: revision, meta };
  const ending = await traceRequest<CallToolResult, ProtocolError>(
    { metrics, agentId: caller.agentId },
    traced,
    async () => {
      try {
        const protocolVersion = request.headers.get(versionHeader) ?? undefined;
        const invocation = { caller, signal: call.signal, onProgress: undefined, protocolVersion, client };
        return { result: await tools.call({ name: toolName, arguments: args }, invocation) };
      } catch (error) {
        return { error: protocolError(error, log) };
      } finally {
        call.close();
      }
    },
  );
  return call.signal.aborted ? 'cancelled' : ending;
}

/** Relays progress under the client's own token; without a token there is no progress. */
export function progressRelay(ctx: ServerContext): ToolInvocation['onProgress'] {
  const progressToken = ctx.mcpReq._meta?.progressToken;
  if (progressToken === undefined) return undefined;
  return ({ progress, total, message }) => {
    const params = {
      progressToken,
      progress,
      ...(total !== undefined && { total }),
      ...(message !== undefined && { message }),
    };
    ctx.mcpReq.notify({ method: 'notifications/progress', params }).catch(() => undefined);
  };
}

/** Cancels the call that a `notifications/cancelled` of a session names. */
export function cancelCall(
  sessions: LegacySessions,
  request: Request,
  caller: Pick<Caller, 'keyId'>,
  params: unknown,
): void {
  const parsed = cancelledSchema.safeParse(params);
  if (!parsed.success) return;
  sessions.cancel({
    keyId: caller.keyId,
    sessionId: request.headers.get(sessionHeader) ?? undefined,
    requestId: parsed.data.requestId,
  });
}
