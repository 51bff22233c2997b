/**
 * The MCP client of one session: the library's, with three changes. Tool results pass through unchanged, since the
 * library's schemas drop unknown fields of content blocks and refuse unknown types. Progress that arrives together
 * with the result is delivered, since listeners are found by progress token. A notification may have several listeners.
 */
import {
  Client,
  type ClientOptions,
  ProtocolError,
  type Request,
  type RequestMethod,
  type RequestOptions,
  type ResultTypeMap,
  type StandardSchemaV1,
} from '@modelcontextprotocol/client';
import { z } from 'zod';
import type { JsonObject } from '../shapes/json.ts';
import type { ToolProgress } from '../shapes/tool.ts';

/** What the server gets to know of the client, and where its requests and notifications go. */
export interface ClientProfile {
  /** The capabilities that the client has declared. */
  capabilities: NonNullable<ClientOptions['capabilities']>;
  /** Answers a request of the server. What it throws is an error response. */
  onRequest(request: { method: string; params: JsonObject }, signal: AbortSignal): Promise<JsonObject>;
  onNotification(notification: { method: string; params: JsonObject }): void;
}

/** The version that a client reports, and the timeout of its protocol probe. */
export interface McpClientDeps {
  clientVersion: string;
  /** How long a server may take to answer `server/discover`, in milliseconds. */
  probeTimeoutMs: number;
  /** The client of the hub that the session is for; undefined for the session that all clients share. */
  profile?: ClientProfile | undefined;
}

type TypedRequest<M extends RequestMethod> = { method: M; params?: JsonObject };

/** Receives the progress of one call. */
export type ProgressListener = (progress: ToolProgress) => void;

/** Receives the parameters of a notification. */
export type NotificationListener = (params: JsonObject) => void;

/** Created once: creating a schema takes longer than the rest of the library's work for a call. */
const anyResult = z.unknown();

/** The library's client with unchanged tool results and complete progress. Used for one session. */
export class McpClient extends Client {
  readonly #progressListeners = new Map<number, ProgressListener>();
  readonly #notificationListeners = new Map<string, NotificationListener[]>();
  #lastProgressToken = 0;

  constructor({ clientVersion, probeTimeoutMs, profile }: McpClientDeps) {
    const { capabilities = {} } = profile ?? {};
    super(
      { name: 'hestia', version: clientVersion },
      {
        capabilities,
        versionNegotiation: { mode: 'auto', probe: { timeoutMs: probeTimeoutMs, maxRetries: 0 } },
        inputRequired: { autoFulfill: false },
      },
    );
    this.setNotificationHandler('notifications/progress', ({ params: { progressToken, progress, total, message } }) => {
      this.#progressListeners.get(Number(progressToken))?.({ progress, total, message });
    });
    this.fallbackRequestHandler = async ({ method, params = {} }, { mcpReq }) => {
      if (profile === undefined) throw new ProtocolError(-32601, 'Method not found');
      return profile.onRequest({ method, params }, mcpReq.signal);
    };
    this.fallbackNotificationHandler = async ({ method, params = {} }) => {
      profile?.onNotification({ method, params });
      for (const listener of this.#notificationListeners.get(method) ?? []) listener(params);
    };
  }

  /** Adds a listener of a notification. A method has any number of listeners, which end with the session. */
  onNotification(method: string, listener: NotificationListener): void {
    this.#notificationListeners.set(method, [...(this.#notificationListeners.get(method) ?? []), listener]);
  }

  /** Returns a progress token to send in the `_meta` of a call. The listener receives the progress reported with it. */
  addProgressListener(listener: ProgressListener): number {
    this.#lastProgressToken += 1;
    this.#progressListeners.set(this.#lastProgressToken, listener);
    return this.#lastProgressToken;
  }

  /** Removes the listener of this token. */
  removeProgressListener(token: number): void {
    this.#progressListeners.delete(token);
  }

  /** As in the library, except that the result of `tools/call` is returned unchanged. */
  override request<M extends RequestMethod>(
    request: TypedRequest<M>,
    options?: RequestOptions,
  ): Promise<ResultTypeMap[M]>;
  override request<T extends StandardSchemaV1>(
    request: Request,
    resultSchema: T,
    options?: RequestOptions,
  ): Promise<StandardSchemaV1.InferOutput<T>>;
  override request(
    request: TypedRequest<RequestMethod>,
    schemaOrOptions?: StandardSchemaV1 | RequestOptions,
    options?: RequestOptions,
  ): Promise<unknown> {
    if (schemaOrOptions !== undefined && '~standard' in schemaOrOptions) {
      return super.request(request, schemaOrOptions, options);
    }
    if (request.method === 'tools/call') return super.request(request, anyResult, schemaOrOptions);
    return super.request(request, schemaOrOptions);
  }
}
