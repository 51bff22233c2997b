/**
 * Streamable HTTP as a channel: the library's transport, with a limit on each response, an end for each request whose
 * stream ends without an answer, and W3C trace context as a header. Knows nothing of tools.
 */

import { AsyncLocalStorage } from 'node:async_hooks';
import {
  isJSONRPCResponse,
  isJsonContentType,
  type JSONRPCMessage,
  PROTOCOL_VERSION_META_KEY,
  StreamableHTTPClientTransport,
} from '@modelcontextprotocol/client';
import { settledWithin } from '../flow/time-limit.ts';
import { parsedJson } from '../shapes/json.ts';
import type { HttpServer } from '../shapes/server.ts';
import { RequestFailure, type UpstreamErrorType } from './call-failure.ts';
import type { Channel } from './channel.ts';
import { createHttpClient, fetchResponse, type HttpClient, type HttpResponse, httpRequest } from './http-client.ts';
import type { BodyWatcher } from './response-limits.ts';

/** What an HTTP channel is made of. */
export interface HttpChannelDeps {
  configuration: HttpServer;
  /** The longest response, or event of a response, in bytes. */
  messageBytesMax: number;
}

/** How often the library resumes a stream that broke, and how long it waits: 1 s, then half as much again each time. */
const reconnectionOptions = {
  maxRetries: 5,
  initialReconnectionDelay: 1000,
  maxReconnectionDelay: 30_000,
  reconnectionDelayGrowFactor: 1.5,
};

/** How long the server may take to end its session when we leave, in milliseconds. */
const terminateMsMax = 1000;

/** Prepares a channel; the first request is sent when the client connects. */
export function createHttpChannel(deps: HttpChannelDeps): Channel {
  const transport = new HttpTransport(deps);
  let closing: Promise<void> | undefined;
  const end = async () => {
    await settledWithin(terminateMsMax, transport.terminateSession());
    await transport.close();
  };
  const close = () => {
    closing ??= end();
    return closing;
  };
  return { transport, close };
}

type SendOptions = Parameters<StreamableHTTPClientTransport['send']>[1];
type JsonRpcRequest = Extract<JSONRPCMessage, { method: string; id: unknown }>;

/** One request that has not been answered yet, and the response it is read from. */
class Exchange {
  readonly id: number;
  readonly controller = new AbortController();
  /** What came for it, where it was sent before the library asked for it. */
  answer: HttpResponse | undefined;
  endedRegularly = false;

  constructor(id: number) {
    this.id = id;
  }
}

// `traceparent` as in W3C Trace Context, section 3.2.2; anything else is not sent as a header.
const traceparentPattern = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/;

/** Owns the exchanges under way. The library knows a request only until it is sent; we end it with its response. */
class HttpTransport extends StreamableHTTPClientTransport {
  readonly #exchanges = new Map<number, Exchange>();
  readonly #current: AsyncLocalStorage<Exchange>;
  readonly #requests: HttpClient;
  readonly #url: URL;
  readonly #headers: Record<string, string>;

  constructor({ configuration, messageBytesMax }: HttpChannelDeps) {
    const current = new AsyncLocalStorage<Exchange>();
    const requests = createHttpClient(messageBytesMax);
    const url = new URL(configuration.url);
    super(url, {
      requestInit: { headers: configuration.headers },
      reconnectionOptions,
      fetch: async (place, init) => {
        const exchange = current.getStore();
        const watcher = this.#watcher(exchange);
        const answer = exchange?.answer ?? (await requests.send(place, httpRequest(init), watcher));
        if (exchange !== undefined) exchange.answer = undefined;
        return fetchResponse(answer, messageBytesMax, watcher);
      },
    });
    this.#current = current;
    this.#requests = requests;
    this.#url = url;
    this.#headers = httpRequest({ headers: configuration.headers }).headers;
    // The client calls a handler that is set before it connects ahead of its own.
    this.onmessage = (message) => {
      if ('id' in message && !('method' in message)) this.#exchanges.delete(Number(message.id));
    };
  }

  override async send(message: JSONRPCMessage, options?: SendOptions): Promise<void> {
    // Ids of requests are numbers; those of probes and subscriptions are texts, and the library ends them itself.
    if (!('method' in message && 'id' in message) || typeof message.id !== 'number') {
      await super.send(message, options);
      this.#endCancelled(message);
      return;
    }
    const exchange = new Exchange(message.id);
    this.#exchanges.set(exchange.id, exchange);
    const leave = () => exchange.controller.abort();
    if (options?.requestSignal?.aborted) leave();
    options?.requestSignal?.addEventListener('abort', leave, { once: true });
    const traceparent = message.params?._meta?.traceparent;
    const traced = typeof traceparent === 'string' && traceparentPattern.test(traceparent) ? { traceparent } : {};
    try {
      if (isPlainCall(message) && (await this.#sendCall(message, exchange, traced))) return;
      await this.#current.run(exchange, () =>
        super.send(message, {
          ...options,
          headers: { ...options?.headers, ...traced },
          requestSignal: exchange.controller.signal,
          onRequestStreamEnd: () => this.#failUnanswered(exchange),
        }),
      );
    } catch (error) {
      this.#exchanges.delete(exchange.id);
      throw error;
    }
    // A body that is not a stream has been read to its end by now.
    if (exchange.endedRegularly) this.#failUnanswered(exchange);
  }

  override async close(): Promise<void> {
    this.#exchanges.clear();
    await super.close();
    await this.#requests.close();
  }

  /**
   * Sends a tool call itself. Answers whether the plain answer came, which most servers give to most calls; where another
   * one came, it waits in the exchange for the library to read it.
   */
  async #sendCall(call: JsonRpcRequest, exchange: Exchange, traced: Record<string, string>): Promise<boolean> {
    const headers = {
      ...this.#headers,
      ...(this.sessionId !== undefined && { 'mcp-session-id': this.sessionId }),
      ...(this.protocolVersion !== undefined && { 'mcp-protocol-version': this.protocolVersion }),
      ...traced,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
    };
    const request = {
      method: 'POST',
      headers,
      body: JSON.stringify(call),
      signal: exchange.controller.signal,
    } as const;
    const answer = await this.#requests.send(this.#url, request, this.#watcher(exchange)).catch((error: Error) => {
      if (!exchange.controller.signal.aborted) this.onerror?.(error);
      throw error;
    });
    const message = plainAnswer(answer, exchange.id);
    if (message === undefined) {
      exchange.answer = answer;
      return false;
    }
    this.onmessage?.(message);
    return true;
  }

  #watcher(exchange: Exchange | undefined): BodyWatcher {
    return {
      onExceeded: () => this.#fail(exchange, 'response_too_large'),
      onEnded: () => {
        if (exchange !== undefined) exchange.endedRegularly = true;
      },
    };
  }

  #failUnanswered(exchange: Exchange): void {
    this.#fail(exchange, exchange.endedRegularly ? 'invalid_response' : 'connection_lost');
  }

  /** Answers the request in the server's place, and leaves its response. */
  #fail(exchange: Exchange | undefined, errorType: UpstreamErrorType): void {
    if (exchange === undefined || !this.#exchanges.has(exchange.id)) return;
    const error = { code: 0, message: errorType, data: new RequestFailure(errorType) };
    this.onmessage?.({ jsonrpc: '2.0', id: exchange.id, error });
    exchange.controller.abort();
  }

  /** A server of the 2025 protocols need not end the stream of a request that was cancelled, so we do. */
  #endCancelled(message: JSONRPCMessage): void {
    if (!('method' in message) || message.method !== 'notifications/cancelled') return;
    const id = Number(message.params?.requestId);
    this.#exchanges.get(id)?.controller.abort();
    this.#exchanges.delete(id);
  }
}

/** A call of the 2025 protocols: since then the library mirrors parts of the body in headers. */
function isPlainCall(message: JsonRpcRequest): boolean {
  return message.method === 'tools/call' && message.params?._meta?.[PROTOCOL_VERSION_META_KEY] === undefined;
}

/** The one JSON-RPC response with this id that is all of an answer; undefined for anything else. */
function plainAnswer({ status, headers, body }: HttpResponse, id: number): JSONRPCMessage | undefined {
  if (status !== 200 || typeof body !== 'string' || !isJsonContentType(headers['content-type'] ?? null))
    return undefined;
  const message = parsedJson(body);
  return isJSONRPCResponse(message) && message.id === id ? message : undefined;
}
