/**
 * The MCP client of one session. It is the library's, with two changes: results of tools pass through it untouched,
 * for the library's schemas drop fields of content blocks that they do not know and refuse kinds they do not know; and
 * progress that arrives together with the result is not lost, as it is where the library tells both apart by request.
 */
import {
  Client,
  type Request,
  type RequestMethod,
  type RequestOptions,
  type ResultTypeMap,
  type StandardSchemaV1,
} from '@modelcontextprotocol/client';
import { z } from 'zod';
import type { JsonObject } from '../shapes/json.ts';
import type { ToolProgress } from '../shapes/tool.ts';

/** What a client introduces itself with, and how long it asks which protocol a server speaks. */
export interface McpClientDeps {
  clientVersion: string;
  /** How long a server may take to answer `server/discover`, in milliseconds. */
  probeTimeoutMs: number;
}

type TypedRequest<M extends RequestMethod> = { method: M; params?: JsonObject };

/** Hears the progress of one call. */
export type ProgressListener = (progress: ToolProgress) => void;

/** The library's client with results as they came and progress to the last. Used for one session. */
export class McpClient extends Client {
  readonly #progressListeners = new Map<number, ProgressListener>();
  #progressTokensCount = 0;

  constructor({ clientVersion, probeTimeoutMs }: McpClientDeps) {
    super(
      { name: 'hestia', version: clientVersion },
      {
        capabilities: {},
        versionNegotiation: { mode: 'auto', probe: { timeoutMs: probeTimeoutMs, maxRetries: 0 } },
        inputRequired: { autoFulfill: false },
      },
    );
    this.setNotificationHandler('notifications/progress', ({ params: { progressToken, progress, total, message } }) => {
      this.#progressListeners.get(Number(progressToken))?.({ progress, total, message });
    });
  }

  /** A progress token for one call, to be sent in its `_meta`; what the server reports under it the listener hears. */
  listenToProgress(listener: ProgressListener): number {
    this.#progressTokensCount += 1;
    this.#progressListeners.set(this.#progressTokensCount, listener);
    return this.#progressTokensCount;
  }

  /** Ends the listening that has this token. */
  endProgress(token: number): void {
    this.#progressListeners.delete(token);
  }

  /** As in the library, but for `tools/call`, whose result is answered as it came. */
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
    if (request.method === 'tools/call') return super.request(request, z.unknown(), schemaOrOptions);
    return super.request(request, schemaOrOptions);
  }
}
