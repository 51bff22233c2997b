/**
 * A session of the HTTP+SSE transport: one stream of events, and the requests whose answers go there. Its running requests
 * end with its stream, which ends with the key or access token of its caller.
 */
import { randomUUID } from 'node:crypto';
import { ProtocolError } from '@modelcontextprotocol/server';
import type { HeldResults, ResultAccount } from '../../flow/held-results.ts';
import type { Caller } from '../../shapes/access.ts';
import { isJsonObject, type JsonObject, parsedJson } from '../../shapes/json.ts';
import { jsonRpcRefusal } from '../refusal.ts';
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
  let isListening = false;
  const stream = createEventStream(() => end('disconnected'));
  const client = createEndpointClient(deps.endpoint, deps.url, ending.signal);
  const keepAlive = setInterval(() => {
    if (!stream.keepAlive()) end('stalled');
  }, keepAliveMs).unref();
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

  /** Relays what the endpoint sends without being asked. One stream of it is enough, however often the client says that it is ready. */
  async function listen(): Promise<void> {
    if (isListening) return;
    isListening = true;
    await relay(client.listen(caller), { isCancelled: false }, stream);
    isListening = false;
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
      if (isBusy(running)) return busy();
      const text = await request.text();
      const message = parsedJson(text);
      if (!isJsonObject(message)) return invalid();
      const account = deps.results.open(by.keyId, { isPrivileged: by.role === 'operator' });
      if (account.take(text.length) !== undefined) return busy();
      if (message.method === 'notifications/cancelled') markCancelled(running, message.params);
      void run({ text, id: requestId(message), method: message.method, isCancelled: false }, by, account);
      return new Response(null, { status: 202 });
    },
    end,
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

/** The id of a request; undefined for a notification, and for an id that JSON-RPC does not have: it may be nested too deeply to be written. */
function requestId({ id }: JsonObject): string | number | undefined {
  return typeof id === 'string' || typeof id === 'number' ? id : undefined;
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
function markCancelled(running: Set<Running>, params: unknown): void {
  const requestId = isJsonObject(params) ? params.requestId : undefined;
  for (const message of running) {
    if (message.id !== undefined && message.id === requestId) message.isCancelled = true;
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
