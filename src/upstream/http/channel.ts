/**
 * A Streamable HTTP channel to an upstream server, over the transport of the MCP library. Adds a limit on each
 * response, a failure for each request whose stream ends without a response, and the `traceparent` header.
 */

import { AsyncLocalStorage } from 'node:async_hooks';
import {
  isJsonContentType,
  type JSONRPCMessage,
  PROTOCOL_VERSION_META_KEY,
  StreamableHTTPClientTransport,
} from '@modelcontextprotocol/client';
import { settledWithin } from '../../flow/time-limit.ts';
import { isJsonObject, parsedJson } from '../../shapes/json.ts';
import type { HttpServer } from '../../shapes/server.ts';
import { RequestFailure, type UpstreamErrorType } from '../call-failure.ts';
import type { Channel } from '../channel.ts';
import { exactStructure, isResponse, libraryResponse, responseOutcome, withExactStructure } from '../json-rpc.ts';
import { authorizedClient } from '../oauth/authorized-client.ts';
import type { Authorizer } from '../oauth/authorizer.ts';
import type { BodyObserver } from '../response-limits.ts';
import { createHttpClient, fetchResponse, type HttpClient, type HttpResponse, httpRequest } from './client.ts';

/** Dependencies of an HTTP channel. */
export interface HttpChannelDeps {
  configuration: HttpServer;
  /** The longest response, or event of a response, in bytes. */
  messageBytesMax: number;
  /** Adds an access token to requests; undefined for a server that needs none. */
  authorizer: Authorizer | undefined;
}

/** The shortest and the longest time after which a stream is resumed, in milliseconds, whatever a server asks for with `retry`. */
const resumeMsMin = 100;
const resumeMsMax = 30_000;

/** How the library resumes a broken stream: after 1 s, then with a delay that grows by half at each retry. */
const reconnectionOptions = {
  maxRetries: 5,
  initialReconnectionDelay: 1000,
  maxReconnectionDelay: resumeMsMax,
  reconnectionDelayGrowFactor: 1.5,
};

/** Resumes a broken stream. Returns what cancels that. */
function scheduleResumption(resume: () => void, delayMs: number): () => void {
  const timer = setTimeout(resume, Math.min(Math.max(delayMs, resumeMsMin), resumeMsMax)).unref();
  return () => clearTimeout(timer);
}

/** How long the server may take to terminate its session on close, in milliseconds. */
const terminateMsMax = 1000;

/** Creates a channel. The first request is sent when the client connects. */
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
  return { transport, close, detail: () => ({}) };
}

type SendOptions = Parameters<StreamableHTTPClientTransport['send']>[1];
type JsonRpcRequest = Extract<JSONRPCMessage, { method: string; id: unknown }>;

/** A request without a response so far. */
class Exchange {
  readonly id: number;
  readonly controller = new AbortController();
  /** The HTTP response that the fast path received and could not use. The library reads it. */
  received: HttpResponse | undefined;
  endedNormally = false;
  #exactStructure: unknown;

  constructor(id: number) {
    this.id = id;
  }

  /** Keeps the structured content of the response, if it has integers whose digits the library would lose. */
  keepExactStructure(text: string): void {
    this.#exactStructure ??= exactStructure(text, this.id);
  }

  /** Puts back what the library has lost, in the response that it has read. */
  restoreExactStructure(response: JSONRPCMessage): void {
    if (this.#exactStructure === undefined || !('result' in response)) return;
    Object.assign(response.result, { structuredContent: this.#exactStructure });
  }
}

// `traceparent` as in W3C Trace Context, section 3.2.2; anything else is not sent as a header.
const traceparentPattern = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/;

/** The transport. Owns the exchanges in progress, since the library tracks a request only until it is sent. */
class HttpTransport extends StreamableHTTPClientTransport {
  readonly #exchanges = new Map<number, Exchange>();
  readonly #current: AsyncLocalStorage<Exchange>;
  readonly #http: HttpClient;
  readonly #url: URL;
  readonly #headers: Record<string, string>;

  constructor({ configuration, messageBytesMax, authorizer }: HttpChannelDeps) {
    const current = new AsyncLocalStorage<Exchange>();
    const url = new URL(configuration.url);
    const http = authorizedClient(createHttpClient(messageBytesMax), authorizer, url);
    super(url, {
      requestInit: { headers: configuration.headers },
      reconnectionOptions,
      reconnectionScheduler: scheduleResumption,
      fetch: async (target, init) => {
        const exchange = current.getStore();
        const observer = this.#bodyObserver(exchange);
        const response = exchange?.received ?? (await http.send(target, httpRequest(init), observer));
        if (exchange !== undefined) exchange.received = undefined;
        const onMessage = (text: string) => exchange?.keepExactStructure(text);
        const onInvalid = (id: string | number) => this.#fail(this.#exchanges.get(Number(id)), 'invalid_response');
        return fetchResponse(response, { bytesMax: messageBytesMax, observer, onMessage, onInvalid });
      },
    });
    this.#current = current;
    this.#http = http;
    this.#url = url;
    this.#headers = httpRequest({ headers: configuration.headers }).headers;
    // The client keeps a handler that is set before it connects, and calls it before its own.
    this.onmessage = (message) => {
      if (!('id' in message) || 'method' in message) return;
      this.#exchanges.get(Number(message.id))?.restoreExactStructure(message);
      this.#exchanges.delete(Number(message.id));
    };
  }

  override async send(message: JSONRPCMessage, options?: SendOptions): Promise<void> {
    // Ids of requests are numbers. Those of probes and subscriptions are strings; the library ends these itself.
    if (!('method' in message && 'id' in message) || typeof message.id !== 'number') {
      await super.send(message, options);
      this.#endCancelled(message);
      return;
    }
    const exchange = new Exchange(message.id);
    this.#exchanges.set(exchange.id, exchange);
    const cancel = () => exchange.controller.abort();
    if (options?.requestSignal?.aborted) cancel();
    options?.requestSignal?.addEventListener('abort', cancel, { once: true });
    const traceparent = message.params?._meta?.traceparent;
    const traceHeaders = typeof traceparent === 'string' && traceparentPattern.test(traceparent) ? { traceparent } : {};
    try {
      if (isPlainCall(message) && (await this.#sendCall(message, exchange, traceHeaders))) return;
      await this.#current.run(exchange, () =>
        super.send(message, {
          ...options,
          headers: { ...options?.headers, ...traceHeaders },
          requestSignal: exchange.controller.signal,
          onRequestStreamEnd: () => this.#failUnanswered(exchange),
        }),
      );
    } catch (error) {
      this.#exchanges.delete(exchange.id);
      throw error;
    }
    // Any body but a stream has been read to its end here.
    if (exchange.endedNormally) this.#failUnanswered(exchange);
  }

  override async close(): Promise<void> {
    this.#exchanges.clear();
    await super.close();
    await this.#http.close();
  }

  /**
   * The fast path: sends a tool call without the library. Returns true if the response is plain JSON, as for most
   * calls. Any other response is stored in the exchange for the library to read.
   */
  async #sendCall(call: JsonRpcRequest, exchange: Exchange, traceHeaders: Record<string, string>): Promise<boolean> {
    const headers = {
      ...this.#headers,
      ...(this.sessionId !== undefined && { 'mcp-session-id': this.sessionId }),
      ...(this.protocolVersion !== undefined && { 'mcp-protocol-version': this.protocolVersion }),
      ...traceHeaders,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
    };
    const request = {
      method: 'POST',
      headers,
      body: JSON.stringify(call),
      signal: exchange.controller.signal,
    } as const;
    const response = await this.#http.send(this.#url, request, this.#bodyObserver(exchange)).catch((error: Error) => {
      if (!exchange.controller.signal.aborted) this.onerror?.(error);
      throw error;
    });
    const message = plainResponse(response, exchange.id);
    if (message === undefined) {
      exchange.received = response;
      return false;
    }
    this.onmessage?.(message);
    return true;
  }

  #bodyObserver(exchange: Exchange | undefined): BodyObserver {
    return {
      onExceeded: () => this.#fail(exchange, 'response_too_large'),
      onEnded: () => {
        if (exchange !== undefined) exchange.endedNormally = true;
      },
    };
  }

  #failUnanswered(exchange: Exchange): void {
    this.#fail(exchange, exchange.endedNormally ? 'invalid_response' : 'connection_lost');
  }

  /** Fails the request with an error response to the client, and aborts its HTTP exchange. */
  #fail(exchange: Exchange | undefined, errorType: UpstreamErrorType): void {
    if (exchange === undefined || !this.#exchanges.has(exchange.id)) return;
    const error = { code: 0, message: errorType, data: new RequestFailure(errorType) };
    this.onmessage?.({ jsonrpc: '2.0', id: exchange.id, error });
    exchange.controller.abort();
  }

  /** Aborts cancelled requests, since a server of the 2025 protocols need not end the stream of one. */
  #endCancelled(message: JSONRPCMessage): void {
    if (!('method' in message) || message.method !== 'notifications/cancelled') return;
    const id = Number(message.params?.requestId);
    this.#exchanges.get(id)?.controller.abort();
    this.#exchanges.delete(id);
  }
}

/** True for tool calls of the 2025 protocols. For later ones the library mirrors parts of the body in headers. */
function isPlainCall(message: JsonRpcRequest): boolean {
  return message.method === 'tools/call' && message.params?._meta?.[PROTOCOL_VERSION_META_KEY] === undefined;
}

/** The JSON-RPC response with this id, if the body is that and nothing else. */
function plainResponse({ status, headers, body }: HttpResponse, id: number): JSONRPCMessage | undefined {
  if (status !== 200 || typeof body !== 'string' || !isJsonContentType(headers['content-type'] ?? null))
    return undefined;
  const message = withExactStructure(parsedJson(body), body);
  if (!isJsonObject(message) || !isResponse(message) || message.id !== id) return undefined;
  return libraryResponse(id, responseOutcome(message));
}
