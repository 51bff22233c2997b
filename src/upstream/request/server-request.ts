/** A request to an upstream server other than a tool call, such as `prompts/get`. Results pass through unchanged. */
import { z } from 'zod';
import { isJsonObject, type JsonObject } from '../../shapes/json.ts';
import { UpstreamCallError } from '../call-failure.ts';
import { type ExchangeDeps, type ExchangeOptions, exchange } from './exchange.ts';

/** A request, and what can end it. */
export interface UpstreamRequest extends ExchangeOptions {
  method: string;
  params: JsonObject;
}

/**
 * Sends the request and returns its result.
 * @throws UpstreamCallError, and nothing else.
 */
export async function sendRequest(request: UpstreamRequest, deps: ExchangeDeps): Promise<JsonObject> {
  const { method, params } = request;
  const result = await exchange(params, request, deps, (sent, options) =>
    deps.session.client.request({ method, params: sent }, z.unknown(), options),
  );
  if (!isJsonObject(result)) throw new UpstreamCallError('invalid_response');
  return result;
}
