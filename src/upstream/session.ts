/**
 * An MCP session with an upstream server: a channel, a client, and the negotiated protocol. Opening one has a deadline,
 * and releases everything when it fails. Reconnecting is left to the connection.
 */
import type { ProtocolEra } from '@modelcontextprotocol/client';
import { unlessAborted } from '../flow/time-limit.ts';
import type { Config } from '../shapes/configuration/config.ts';
import type { HttpServer, ServerConfiguration } from '../shapes/server.ts';
import type { Channel } from './channel.ts';
import type { UpstreamLog } from './log.ts';
import { type ClientProfile, McpClient } from './mcp-client.ts';
import type { Authorizer } from './oauth/authorizer.ts';
import { connectFailure, SessionFailure, type SessionFailureDetail } from './session-failure.ts';
import { createStdioChannel } from './stdio/channel.ts';

/** Dependencies of a session. */
export interface SessionDeps {
  serverId: string;
  configuration: ServerConfiguration;
  /** The variables that every server over stdio gets. */
  environment: Record<string, string>;
  limits: Config['limits'];
  /** Adds access tokens to requests over HTTP; undefined for a server that needs none. */
  authorizer?: Authorizer | undefined;
  clientVersion: string;
  log: UpstreamLog;
  /** True if the server is known to speak a 2025 protocol, so that it need not be probed again. */
  legacy: boolean;
  /** True if a second process may be started for a server that exits when it is probed. */
  mayStartTwice: boolean;
  /** Cancels the opening. */
  signal: AbortSignal;
  /** The client of the hub that the session is for; undefined for the session that all clients share. */
  profile?: ClientProfile | undefined;
}

/** An open session, owned by the connection. `ended` aborts when either side has ended it. */
export interface Session {
  readonly client: McpClient;
  readonly era: ProtocolEra;
  readonly protocolVersion: string;
  /** Whether HTTP headers mirror the arguments that a tool's schema names. */
  readonly mirrorsArguments: boolean;
  readonly ended: AbortSignal;
  /** Calls a tool without the library; undefined where the transport or the protocol has no such way. */
  readonly call: Channel['call'];
  /** What is known about the end of the session. */
  detail(): SessionFailureDetail;
  /** Ends the session and closes its channel. Never rejects; may be repeated. */
  close(): Promise<void>;
}

const probeTimeoutMsMax = 10_000;

/** A message may be longer than its result, because of escapes and of its other fields. */
function messageBytesMax(limits: Config['limits']): number {
  return 3 * limits.responseBytesMax + 1_048_576;
}

/**
 * Opens a session within `connectTimeoutMs`. Probing a silent server for its protocol takes at most a third of that,
 * and at most 10 s. Servers that exit when they are probed are started a second time, if that is allowed. A URL without a
 * type that refuses Streamable HTTP is tried with HTTP+SSE, as the specification tells clients to do.
 * @throws SessionFailure after everything that was started has ended.
 */
export async function openSession(deps: SessionDeps): Promise<Session> {
  const deadline = AbortSignal.timeout(deps.limits.connectTimeoutMs);
  try {
    return await openOnce(deps, deadline);
  } catch (error) {
    if (!(error instanceof SessionFailure) || deadline.aborted || deps.signal.aborted) throw error;
    if (error.exitedWhenProbed && deps.mayStartTwice) return openOnce({ ...deps, legacy: true }, deadline);
    const sse = sseConfiguration(deps.configuration, error);
    if (sse === undefined) throw error;
    // The first failure says more about a server that has neither.
    return openOnce({ ...deps, configuration: sse }, deadline).catch(() => Promise.reject(error));
  }
}

/** Statuses with which a server of HTTP+SSE answers the first request of Streamable HTTP. */
const statusesOfSse = new Set([400, 404, 405]);

/** The configuration for HTTP+SSE, if the type is not set and the failure is that of a server that knows nothing else. */
function sseConfiguration(configuration: ServerConfiguration, { detail }: SessionFailure): HttpServer | undefined {
  if ('command' in configuration || configuration.type !== undefined) return undefined;
  return statusesOfSse.has(detail.httpStatus ?? 0) ? { ...configuration, type: 'sse' } : undefined;
}

async function openOnce(deps: SessionDeps, deadline: AbortSignal): Promise<Session> {
  const { limits } = deps;
  const channel = await createChannel(deps);
  const probeTimeoutMs = Math.min(probeTimeoutMsMax, Math.ceil(limits.connectTimeoutMs / 3));
  const client = new McpClient({ clientVersion: deps.clientVersion, probeTimeoutMs, profile: deps.profile });
  const ended = new AbortController();
  client.onclose = () => ended.abort();
  const connecting = client.connect(channel.transport, {
    timeout: limits.connectTimeoutMs,
    ...(deps.legacy || isSse(deps.configuration) ? { prior: { kind: 'legacy' } } : {}),
  });
  try {
    await unlessAborted(connecting, AbortSignal.any([deadline, deps.signal]));
  } catch (error) {
    // A cancelled attempt may still connect, so the client is closed again once it has.
    const clientClosed = connecting.then(() => client.close()).catch(() => {});
    await channel.close();
    if (!deadline.aborted && !deps.signal.aborted) await clientClosed;
    throw deadline.aborted
      ? new SessionFailure('connect_timeout', channel.detail())
      : connectFailure(error, channel.detail());
  }
  const close = async () => {
    ended.abort();
    await channel.close();
  };
  const era = client.getProtocolEra() ?? 'legacy';
  return {
    client,
    era,
    mirrorsArguments: era === 'modern' && 'url' in deps.configuration,
    protocolVersion: client.getNegotiatedProtocolVersion() ?? '',
    ended: ended.signal,
    call: era === 'legacy' ? channel.call : undefined,
    detail: channel.detail,
    close,
  };
}

/** HTTP+SSE is older than the protocols that a probe could find. */
function isSse(configuration: ServerConfiguration): boolean {
  return 'url' in configuration && configuration.type === 'sse';
}

async function createChannel(deps: SessionDeps): Promise<Channel> {
  const { serverId, configuration, environment, limits, log, authorizer } = deps;
  const bytesMax = messageBytesMax(limits);
  if ('command' in configuration) {
    return createStdioChannel({ serverId, configuration, environment, messageBytesMax: bytesMax, log });
  }
  // Loaded on demand, since its HTTP client is a hundred files that a hub with only local servers does not need.
  if (configuration.type === 'sse') {
    const { createSseChannel } = await import('./http/sse-channel.ts');
    return createSseChannel({ configuration, messageBytesMax: bytesMax, authorizer });
  }
  const { createHttpChannel } = await import('./http/channel.ts');
  return createHttpChannel({ configuration, messageBytesMax: bytesMax, authorizer });
}
