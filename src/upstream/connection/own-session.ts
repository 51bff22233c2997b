/**
 * A session with an upstream server for one client of the hub. The server may ask that client for input, such as sampling,
 * which it cannot in the session that all clients share: its requests name no client.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { settledWithin } from '../../flow/time-limit.ts';
import type { Config } from '../../shapes/configuration/config.ts';
import type { JsonObject } from '../../shapes/json.ts';
import type { ToolDefinition, ToolResult } from '../../shapes/tool.ts';
import { UpstreamCallError } from '../call-failure.ts';
import type { ClientProfile } from '../mcp-client.ts';
import { sendRequest, type UpstreamRequest } from '../request/server-request.ts';
import { resultFault } from '../response-limits.ts';
import { openSession, type Session, type SessionDeps } from '../session.ts';
import type { StartLimit } from '../start-limit.ts';
import { callTool, type UpstreamCall } from '../tool-call.ts';
import { fetchToolList } from '../tool-list.ts';

/** A session of one client. It is not reopened when it ends. */
export interface OwnSession {
  /** Aborts when the session has ended. */
  readonly ended: AbortSignal;
  /** @throws UpstreamCallError, and nothing else */
  call(call: UpstreamCall): Promise<ToolResult>;
  /** @throws UpstreamCallError, and nothing else */
  request(request: UpstreamRequest): Promise<JsonObject>;
  /** Sends a notification. One that cannot be sent is dropped. */
  notify(method: string): void;
  /** The tools that the server offers to this client. @throws UpstreamCallError, and nothing else */
  tools(): Promise<readonly ToolDefinition[]>;
  /** Never rejects; may be repeated. */
  close(): Promise<void>;
}

/** Dependencies of the session; `startLimit` limits the child processes that start at the same time. */
export interface OwnSessionDeps extends SessionDeps {
  startLimit: StartLimit;
}

/**
 * Opens the session. It ends with `signal`, too.
 * @param track gets the end of the session, for which the connection waits
 * @throws UpstreamCallError, and nothing else
 */
export async function openOwnSession(
  deps: OwnSessionDeps,
  profile: ClientProfile,
  track: (closed: Promise<void>) => void,
): Promise<OwnSession> {
  const { serverId, limits, log } = deps;
  const running = new Set<Promise<unknown>>();
  const session = await openFor(deps, countedProfile(profile, running, limits));
  const end = () => track(session.close());
  if (deps.signal.aborted) end();
  deps.signal.addEventListener('abort', end, { once: true });
  session.ended.addEventListener(
    'abort',
    () => {
      deps.signal.removeEventListener('abort', end);
      end();
    },
    { once: true },
  );
  const { client, ended } = session;
  let list: Promise<readonly ToolDefinition[]> | undefined;
  client.onNotification('notifications/tools/list_changed', () => {
    list = undefined;
  });
  await untilPrepared(session, profile, running);
  const { toolsPerServerMax: toolsMax, connectTimeoutMs: timeoutMs, toolLengthMax } = limits;
  const lengths = { toolLengthMax, listLengthMax: limits.toolsLengthPerServerMax };
  const listDeps = { serverId, client, toolsMax, ...lengths, timeoutMs, log, mirrorsArguments: false };
  return {
    ended,
    call: (call) => callTool(call, { session, definition: undefined, limits }),
    request: (request) => sendRequest(request, { session, limits }),
    notify: (method) => void client.notification({ method }).catch(() => {}),
    tools: () => {
      list ??= fetchToolList(listDeps).then(
        ({ tools }) => tools,
        () => {
          list = undefined;
          throw new UpstreamCallError('connection_lost');
        },
      );
      return list;
    },
    close: session.close,
  };
}

async function openFor(deps: OwnSessionDeps, profile: ClientProfile): Promise<Session> {
  const open = () => openSession({ ...deps, profile });
  try {
    return await ('command' in deps.configuration ? deps.startLimit(open, deps.signal) : open());
  } catch {
    throw new UpstreamCallError('server_unavailable');
  }
}

/** The profile, whose running requests are counted and whose answers are limited. */
function countedProfile(
  profile: ClientProfile,
  running: Set<Promise<unknown>>,
  { responseBytesMax }: Config['limits'],
): ClientProfile {
  return {
    ...profile,
    onRequest: async (request, signal) => {
      if (resultFault(request.params, responseBytesMax) !== undefined) throw new Error('the request is too large');
      const answering = profile.onRequest(request, signal);
      running.add(answering);
      try {
        return await answering;
      } finally {
        running.delete(answering);
      }
    },
  };
}

/**
 * Waits until a server that may ask for roots has asked for them at the start, has got the answer and has applied it, as far as
 * that can be seen: it answers pings for a while and asks for nothing. Otherwise the first call would find it without roots.
 */
async function untilPrepared(
  { client, era }: Session,
  { capabilities }: ClientProfile,
  running: ReadonlySet<Promise<unknown>>,
): Promise<void> {
  if (era !== 'legacy' || capabilities.roots === undefined) return;
  const deadline = performance.now() + preparationMsMax;
  for (let quietCount = 0; quietCount < quietRounds && performance.now() < deadline; quietCount += 1) {
    await client.ping({ timeout: preparationMsMax }).catch(() => {});
    if (running.size > 0) {
      quietCount = 0;
      await settledWithin(preparationMsMax, Promise.allSettled(running));
    }
    await delay(quietIntervalMs);
  }
}

/** How long a server may take to prepare, how often it must be quiet, and the pause in between, in milliseconds. */
const preparationMsMax = 2000;
const quietRounds = 4;
const quietIntervalMs = 25;
