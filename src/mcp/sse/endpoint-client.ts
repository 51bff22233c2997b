/**
 * A client of a Streamable HTTP endpoint in the same process. It keeps the session id and the protocol version that the
 * endpoint answers with, and sends them with each further request.
 */
import type { Caller } from '../../shapes/access.ts';
import { isJsonObject, parsedJson } from '../../shapes/json.ts';
import { messagesOf } from '../request/answer-messages.ts';
import type { StreamOptions } from '../request/stream-places.ts';

/** An endpoint of Streamable HTTP, such as `/mcp`. */
export interface SseEndpoint {
  /** @returns a response, or the JSON-RPC message that is the whole body of a 200 */
  handle(request: Request, caller: Caller, options?: StreamOptions): Promise<Response | string>;
}

/** A message of a client: its text, and the parts that decide how it is handled. */
export interface ClientMessage {
  text: string;
  id: unknown;
  method: unknown;
}

/** The client. Its requests end when the signal aborts. */
export interface EndpointClient {
  /** Sends a message, and yields the messages of its answer as they arrive. */
  post(message: ClientMessage, caller: Caller): AsyncGenerator<string>;
  /** Yields what the endpoint sends without being asked, such as list changes; nothing where it refuses. */
  listen(caller: Caller): AsyncGenerator<string>;
}

/** Creates a client of the endpoint; `url` is the URL of its requests. */
export function createEndpointClient(endpoint: SseEndpoint, url: string, signal: AbortSignal): EndpointClient {
  const headers = new Headers({ 'content-type': 'application/json', accept: 'application/json, text/event-stream' });
  // The stream of the session has the place of the stream that it listens to.
  const request = (caller: Caller, init: RequestInit) =>
    endpoint.handle(new Request(url, { ...init, headers: new Headers(headers), signal }), caller, { hasPlace: true });
  return {
    post: async function* ({ text, id, method }, caller) {
      const answer = await request(caller, { method: 'POST', body: text });
      if (method === 'initialize') keep(headers, 'mcp-session-id', sessionIdOf(answer));
      for await (const message of messagesOf(answer, id)) {
        if (method === 'initialize') keep(headers, 'mcp-protocol-version', negotiatedVersion(message));
        yield message;
      }
    },
    listen: async function* (caller) {
      const answer = await request(caller, { method: 'GET' });
      if (typeof answer !== 'string' && answer.ok) yield* messagesOf(answer, undefined);
    },
  };
}

function keep(headers: Headers, name: string, value: string | undefined): void {
  if (value !== undefined) headers.set(name, value);
}

function sessionIdOf(answer: Response | string): string | undefined {
  return typeof answer === 'string' ? undefined : (answer.headers.get('mcp-session-id') ?? undefined);
}

function negotiatedVersion(text: string): string | undefined {
  const message = parsedJson(text);
  const result = isJsonObject(message) ? message.result : undefined;
  return isJsonObject(result) && typeof result.protocolVersion === 'string' ? result.protocolVersion : undefined;
}
