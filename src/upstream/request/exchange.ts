/**
 * One request over a session: relays progress, translates failures, and limits the result. What the client of the hub
 * declares, and what it answers to an earlier result, is passed on to servers of protocol 2026-07-28 only.
 */
import type { Config } from '../../shapes/configuration/config.ts';
import type { JsonObject } from '../../shapes/json.ts';
import type { ToolProgress } from '../../shapes/tool.ts';
import { callFailure, UpstreamCallError } from '../call-failure.ts';
import { resultFault } from '../response-limits.ts';
import type { Session } from '../session.ts';

/** What the client of the hub declares in a request, for servers of protocol 2026-07-28. */
export interface ClientDeclaration {
  /** Keys of `params._meta`: the capabilities of the client, and the log level that it asks for. */
  meta: JsonObject;
  /** `inputResponses` and `requestState` of a repeated request (multi-round-trip requests), unchanged. */
  retry: JsonObject;
}

/** What all requests have. */
export interface ExchangeOptions {
  /** `params._meta` of the request. Over HTTP its `traceparent` is sent as a header too. */
  meta?: JsonObject | undefined;
  /** If unset: the server cannot ask the client for input. */
  client?: ClientDeclaration | undefined;
  /** Cancels the request, of which the server is notified. */
  signal: AbortSignal;
  onProgress?: ((progress: ToolProgress) => void) | undefined;
}

/** Dependencies of an exchange. */
export interface ExchangeDeps {
  session: Session;
  limits: Config['limits'];
}

/** Milliseconds that the library's timeout exceeds the longest call, so that only the caller's signal ends a call. */
const timeoutMarginMs = 60_000;

/** Options of the library for one request. */
export interface SendOptions {
  signal: AbortSignal;
  timeout: number;
  allowInputRequired: boolean;
}

/**
 * Sends the request by `send`, and returns the result unchanged, within its limits.
 * @throws UpstreamCallError, and nothing else. Of the upstream it contains at most an answer to be passed on.
 */
export async function exchange<Params extends JsonObject>(
  params: Params,
  { meta, client: declared, signal, onProgress }: ExchangeOptions,
  { session, limits }: ExchangeDeps,
  send: (params: Params & { _meta?: JsonObject }, options: SendOptions) => Promise<unknown>,
): Promise<unknown> {
  const { client, era } = session;
  const progressToken = onProgress === undefined ? undefined : client.addProgressListener(onProgress);
  const passed = era === 'modern' ? declared : undefined;
  const isMetaSent = meta !== undefined || passed !== undefined || progressToken !== undefined;
  const sentMeta = { ...meta, ...passed?.meta, ...(progressToken !== undefined && { progressToken }) };
  const sent = { ...params, ...passed?.retry, ...(isMetaSent && { _meta: sentMeta }) };
  const timeout = limits.callTimeoutMsMax + timeoutMarginMs;
  let result: unknown;
  try {
    result = await send(sent, { signal, timeout, allowInputRequired: passed !== undefined });
  } catch (error) {
    throw signal.aborted ? new UpstreamCallError('cancelled') : callFailure(error, era === 'modern');
  } finally {
    if (progressToken !== undefined) client.removeProgressListener(progressToken);
  }
  const fault = resultFault(result, limits.responseBytesMax);
  if (fault === undefined) return result;
  throw new UpstreamCallError(fault === 'too_large' ? 'response_too_large' : 'invalid_response');
}
