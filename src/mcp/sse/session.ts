/**
 * A session of the HTTP+SSE transport: one stream of events, and the requests whose answers go there. Its running requests
 * end with its stream, which ends with the key or access token of its caller.
 */
import { randomUUID } from 'node:crypto';
import { ProtocolError } from '@modelcontextprotocol/server';
import type { HeldResults, ResultAccount } from '../../flow/held-results.ts';
import type { Caller } from '../../shapes/access.ts';
import { isJsonObject, parsedJson } from '../../shapes/json.ts';
import { jsonRpcRefusal } from '../refusal.ts';
import { requestId } from '../request-body.ts';
import { type ClientMessage, createEndpointClient, type SseEndpoint } from './endpoint-client.ts';
import { createEventStream, type EventStream } from './event-stream.ts';

/** Why a session ended. */
export type SessionEnd = 'disconnected' | 'stalled' | 'revoked' | 'shutdown';

/** One session. */
export interface SseSession {
  id: string;
  /** The caller that opened the session; only its key may send messages. */
  caller: Caller;
  /** The response with the stream of events, which `signal` ends. */
  open(signal: AbortSignal): Response;
  /** Accepts a message of the client (202); its answer is an event. */
  post(request: Request, caller: Caller): Promise<Response>;
  end(reason: SessionEnd): void;
}

/** Dependencies of a session. */
export interface SseSessionDeps {
  caller: Caller;
  endpoint: SseEndpoint;
  /** The URL of requests to the endpoint. */
  url: string;
  /** The path that messages of a session are sent to. */
  messagePath: (sessionId: string) => string;
  /** Counts messages while they run, and results until they are on the stream. */
  results: HeldResults;
  onEnded: (reason: SessionEnd) => void;
}

/** Interval of comments on the stream, in milliseconds. */
const keepAliveMs = 15_000;
/** Messages of one session that run at the same time. */
const messagesRunningMax = 64;
/** The text of these messages together, in UTF-16 units; a single one is accepted whatever its length. */
const messageLengthHeldMax = 16_777_216;

/** A message that the endpoint handles. */
interface Running extends ClientMessage {
  isCancelled: boolean;
}

/** Creates a session, which starts when its stream is opened. */
export function createSseSession(deps: SseSessionDeps): SseSession {
  const { caller, onEnded } = deps;
  const id = randomUUID();
  const ending = new AbortController();
  const running = new Set<Running>();
  const stream = createEventStream(() => end('disconnected'));
  const client = createEndpointClient(deps.endpoint, deps.url, ending.signal);
  const listen = oneAtATime(() => relay(client.listen(caller), { isCancelled: false }, stream));
  const onTime = () => stream.keepAlive() || end('stalled');
  const keepAlive = setInterval(onTime, keepAliveMs).unref();
  const onCredentialEnded = () => end('revoked');

  function end(reason: SessionEnd): void {
    if (ending.signal.aborted) return;
    clearInterval(keepAlive);
    caller.ended?.removeEventListener('abort', onCredentialEnded);
    ending.abort();
    stream.end();
    onEnded(reason);
  }

  async function run(message: Running, by: Caller, account: ResultAccount): Promise<void> {
    running.add(message);
    const isAnswered = await counted(account, () => relay(client.post(message, by), message, stream));
    running.delete(message);
    if (!isAnswered && isAwaited(message)) await stream.send('message', noAnswer(message.id));
    if (message.method === 'notifications/initialized') void listen();
  }

  return {
    id,
    caller,
    open: (signal) => {
      whenAborted(signal, () => end('disconnected'));
      whenAborted(caller.ended, onCredentialEnded);
      void stream.send('endpoint', deps.messagePath(id));
      return stream.response;
    },
    post: async (request, by) => {
      const posted = await readMessage(request);
      if (posted === undefined) return invalid();
      const account = isBusy(running) ? undefined : openAccount(deps.results, by, posted);
      if (account === undefined) return busy();
      if (posted.method === 'notifications/cancelled') markCancelled(running, posted.cancelledId);
      void run(posted, by, account);
      return new Response(null, { status: 202 });
    },
    end,
  };
}

/** The message of a request, without its parameters, which its text has; undefined for a body that is none. */
async function readMessage(request: Request): Promise<(Running & { cancelledId: unknown }) | undefined> {
  const text = await request.text();
  const parsed = parsedJson(text);
  if (!isJsonObject(parsed)) return undefined;
  const { method, params } = parsed;
  const cancelledId = isJsonObject(params) ? params.requestId : undefined;
  return { text, id: requestId(parsed), method, cancelledId, isCancelled: false };
}

/** Counts a message as held; undefined where that is more than the share of its key. */
function openAccount(
  results: HeldResults,
  { keyId, role }: Caller,
  { text }: Pick<Running, 'text'>,
): ResultAccount | undefined {
  const account = results.open(keyId, { isPrivileged: role === 'operator' });
  return account.take(text.length) === undefined ? account : undefined;
}

/** Work that does nothing while it is running already: one stream of changes is enough. It must not reject. */
function oneAtATime(work: () => Promise<unknown>): () => Promise<void> {
  let isRunning = false;
  return async () => {
    if (isRunning) return;
    isRunning = true;
    await work();
    isRunning = false;
  };
}

function whenAborted(signal: AbortSignal | undefined, listener: () => void): void {
  signal?.addEventListener('abort', listener, { once: true });
  if (signal?.aborted) listener();
}

/** Counts a message, and its results, as held until all of them are on the stream. */
async function counted<T>(account: ResultAccount, work: () => Promise<T>): Promise<T> {
  using _account = account;
  return await account.run(work);
}

function isAwaited({ id, method, isCancelled }: Running): boolean {
  return method !== undefined && id !== undefined && !isCancelled;
}

function noAnswer(id: unknown): string {
  const error = { code: -32603, message: 'the hub could not answer this request', data: { code: 'INTERNAL' } };
  return JSON.stringify({ jsonrpc: '2.0', id, error });
}

/** Sends messages of the endpoint on the stream, unless the request was cancelled. @returns whether there were any */
async function relay(
  messages: AsyncGenerator<string>,
  to: Pick<Running, 'isCancelled'>,
  stream: EventStream,
): Promise<boolean> {
  let isAnswered = false;
  try {
    for await (const message of messages) {
      if (!to.isCancelled) await stream.send('message', message);
      isAnswered = true;
    }
  } catch {
    // The endpoint has logged why, or the session has ended.
  }
  return isAnswered;
}

/** A request that was cancelled gets no answer: its client no longer waits for one. */
function markCancelled(running: Set<Running>, cancelledId: unknown): void {
  for (const message of running) {
    if (message.id !== undefined && message.id === cancelledId) message.isCancelled = true;
  }
}

function isBusy(running: Set<Running>): boolean {
  if (running.size >= messagesRunningMax) return true;
  return [...running].reduce((length, { text }) => length + text.length, 0) > messageLengthHeldMax;
}

function busy(): Response {
  const message = `this session has ${messagesRunningMax} requests under way, or this key too long ones; try again`;
  const response = jsonRpcRefusal(503, new ProtocolError(-32603, message, { code: 'OVERLOADED' }));
  response.headers.set('retry-after', '1');
  return response;
}

function invalid(): Response {
  return jsonRpcRefusal(
    400,
    new ProtocolError(-32700, 'the body is not a JSON-RPC message', { code: 'INVALID_REQUEST' }),
  );
}
