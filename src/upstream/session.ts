/**
 * A session: one channel, one client on it, the protocol agreed. Opening has a deadline and ends what it started when
 * it fails. Refuses to know whether and when there will be a next session.
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

/** What a session is opened with. */
export interface SessionDeps {
  serverId: string;
  configuration: ServerConfiguration;
  limits: Config['limits'];
  clientVersion: string;
  log: UpstreamLog;
  /** True where the server is known to speak a 2025 protocol: it is not asked again which one. */
  legacy: boolean;
  /** Ends the opening early. */
  signal: AbortSignal;
}

/** An open session. Owned by the connection; `ended` aborts when it is over, whoever ended it. */
export interface Session {
  readonly client: McpClient;
  readonly era: ProtocolEra;
  readonly protocolVersion: string;
  readonly ended: AbortSignal;
  /** Ends the session and what it runs on; never rejects, may be repeated. */
  close(): Promise<void>;
}

const probeTimeoutMsMax = 10_000;

/** A message may be longer than the result in it: escapes, and what surrounds it. */
function messageBytesMax(limits: Config['limits']): number {
  return 3 * limits.responseBytesMax + 1_048_576;
}

/**
 * Opens a session. A server that says nothing is asked for at most a third of the deadline (and 10 s) which protocol
 * it speaks.
 * @throws SessionFailure after everything it started has ended.
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
    // Where the opening was left before it was over, it may still start something; that is ended too.
    const late = connecting.then(() => client.close()).catch(() => {});
    await channel.close();
    if (!deadline.aborted && !deps.signal.aborted) await late;
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
  // Loaded here, since its HTTP client is a hundred files that a hub of local servers never needs.
  const { createHttpChannel } = await import('./http-channel.ts');
  return createHttpChannel({ configuration, messageBytesMax: bytesMax });
}
