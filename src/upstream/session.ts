/**
 * An MCP session with an upstream server: a channel, a client, and the negotiated protocol. Opening one has a deadline,
 * and releases everything when it fails. Reconnecting is left to the connection.
 */
import type { ProtocolEra } from '@modelcontextprotocol/client';
import { unlessAborted } from '../flow/time-limit.ts';
import type { Config } from '../shapes/configuration/config.ts';
import type { ServerConfiguration } from '../shapes/server.ts';
import type { Channel } from './channel.ts';
import type { UpstreamLog } from './log.ts';
import { McpClient } from './mcp-client.ts';
import { connectFailure, SessionFailure } from './session-failure.ts';
import { createStdioChannel } from './stdio-channel.ts';

/** Dependencies of a session. */
export interface SessionDeps {
  serverId: string;
  configuration: ServerConfiguration;
  limits: Config['limits'];
  clientVersion: string;
  log: UpstreamLog;
  /** True if the server is known to speak a 2025 protocol, so that it need not be probed again. */
  legacy: boolean;
  /** Cancels the opening. */
  signal: AbortSignal;
}

/** An open session, owned by the connection. `ended` aborts when either side has ended it. */
export interface Session {
  readonly client: McpClient;
  readonly era: ProtocolEra;
  readonly protocolVersion: string;
  readonly ended: AbortSignal;
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
 * and at most 10 s.
 * @throws SessionFailure after everything that was started has ended.
 */
export async function openSession(deps: SessionDeps): Promise<Session> {
  const { limits } = deps;
  const channel = await createChannel(deps);
  const probeTimeoutMs = Math.min(probeTimeoutMsMax, Math.ceil(limits.connectTimeoutMs / 3));
  const client = new McpClient({ clientVersion: deps.clientVersion, probeTimeoutMs });
  const ended = new AbortController();
  client.onclose = () => ended.abort();
  const deadline = AbortSignal.timeout(limits.connectTimeoutMs);
  const connecting = client.connect(channel.transport, {
    timeout: limits.connectTimeoutMs,
    ...(deps.legacy ? { prior: { kind: 'legacy' } } : {}),
  });
  try {
    await unlessAborted(connecting, AbortSignal.any([deadline, deps.signal]));
  } catch (error) {
    // A cancelled attempt may still connect, so the client is closed again once it has.
    const clientClosed = connecting.then(() => client.close()).catch(() => {});
    await channel.close();
    if (!deadline.aborted && !deps.signal.aborted) await clientClosed;
    throw deadline.aborted ? new SessionFailure('connect_timeout') : connectFailure(error);
  }
  const close = async () => {
    ended.abort();
    await channel.close();
  };
  const era = client.getProtocolEra() ?? 'legacy';
  return { client, era, protocolVersion: client.getNegotiatedProtocolVersion() ?? '', ended: ended.signal, close };
}

async function createChannel({ serverId, configuration, limits, log }: SessionDeps): Promise<Channel> {
  const bytesMax = messageBytesMax(limits);
  if ('command' in configuration) {
    return createStdioChannel({ serverId, configuration, messageBytesMax: bytesMax, log });
  }
  // Loaded on demand, since its HTTP client is a hundred files that a hub with only local servers does not need.
  const { createHttpChannel } = await import('./http-channel.ts');
  return createHttpChannel({ configuration, messageBytesMax: bytesMax });
}
