/**
 * Streamable HTTP as a channel: the library's transport, with a limit on each response, an end for each request whose
 * stream ends without an answer, and W3C trace context as a header. Knows nothing of tools.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { type JSONRPCMessage, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import type { HttpServer } from '../shapes/server.ts';
import { RequestFailure, type UpstreamErrorType } from './call-failure.ts';
import type { Channel } from './channel.ts';
import { createHttpRequests, type HttpRequests } from './http-request.ts';

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
    const bound = new Promise<void>((resolve) => setTimeout(resolve, terminateMsMax).unref());
    await Promise.race([transport.terminateSession().catch(() => {}), bound]);
    await transport.close();
  };
  const close = () => {
    closing ??= end();
    return closing;
  };
  return { transport, close };
}

type SendOptions = Parameters<StreamableHTTPClientTransport['send']>[1];

/** One request that has not been answered yet, and the response it is read from. */
class Exchange {
  readonly id: number;
  readonly controller = new AbortController();
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
  readonly #requests: HttpRequests;

  constructor({ configuration, messageBytesMax }: HttpChannelDeps) {
    const current = new AsyncLocalStorage<Exchange>();
    const requests = createHttpRequests(messageBytesMax);
    super(new URL(configuration.url), {
      requestInit: { headers: configuration.headers },
      reconnectionOptions,
      fetch: (url, init) => {
        const exchange = current.getStore();
        return requests.fetch(url, init, {
          onExceeded: () => this.#fail(exchange, 'response_too_large'),
          onEnded: () => {
            if (exchange !== undefined) exchange.endedRegularly = true;
          },
        });
      },
    });
    this.#current = current;
    this.#requests = requests;
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
    const traceparent = message.params?._meta?.traceparent;
    const traced = typeof traceparent === 'string' && traceparentPattern.test(traceparent);
    const leave = () => exchange.controller.abort();
    if (options?.requestSignal?.aborted) leave();
    options?.requestSignal?.addEventListener('abort', leave, { once: true });
    try {
      await this.#current.run(exchange, () =>
        super.send(message, {
          ...options,
          headers: { ...options?.headers, ...(traced ? { traceparent } : {}) },
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
