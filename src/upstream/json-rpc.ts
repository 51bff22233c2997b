/** JSON-RPC responses as servers send them: small deviations are accepted, others are invalid. */
import type { JSONRPCMessage } from '@modelcontextprotocol/client';
import { exactJson, isJsonObject, type JsonObject } from '../shapes/json.ts';
import { RequestFailure, type UpstreamErrorType } from './call-failure.ts';
import { isIntroduction, tolerantIntroduction } from './request/tolerant-introduction.ts';

/** What a response says. */
export type ResponseOutcome =
  | { kind: 'result'; result: JsonObject }
  | { kind: 'error'; code: number; message: string; data: unknown }
  | { kind: 'invalid' };

/** True for a message that can only be a response: it has no method, but an id, a result or an error. */
export function isResponse({ method, id, result, error }: JsonObject): boolean {
  return method === undefined && (id !== undefined || result !== undefined || error !== undefined);
}

/**
 * Reads a response. Accepts `error: null` beside a result, `_meta: null` in it, and an error without a message. An error
 * whose code is not an integer, and a result that is not an object, are invalid. What a server says about itself is
 * completed, so that a member that is null or of another type is no reason not to connect.
 */
export function responseOutcome({ result, error }: JsonObject): ResponseOutcome {
  if (error !== undefined && error !== null) {
    if (!isJsonObject(error) || typeof error.code !== 'number' || !Number.isInteger(error.code)) {
      return { kind: 'invalid' };
    }
    const message = typeof error.message === 'string' ? error.message : '';
    return { kind: 'error', code: error.code, message, data: error.data };
  }
  if (!isJsonObject(result)) return { kind: 'invalid' };
  const { _meta, ...rest } = result;
  const accepted = _meta === null ? rest : result;
  return { kind: 'result', result: isIntroduction(accepted) ? tolerantIntroduction(accepted) : accepted };
}

/** The response in the form that the MCP library accepts. An invalid one is an error that names its type. */
export function libraryResponse(id: string | number, outcome: ResponseOutcome): JSONRPCMessage {
  switch (outcome.kind) {
    case 'result':
      return { jsonrpc: '2.0', id, result: outcome.result };
    case 'error':
      return { jsonrpc: '2.0', id, error: { code: outcome.code, message: outcome.message, data: outcome.data } };
    case 'invalid':
      return failureResponse(id, 'invalid_response');
    default:
      return outcome satisfies never;
  }
}

/** The response to a request that failed in the hub, which the MCP library passes on as an error. */
export function failureResponse(id: string | number, errorType: UpstreamErrorType): JSONRPCMessage {
  return { jsonrpc: '2.0', id, error: { code: 0, message: errorType, data: new RequestFailure(errorType) } };
}

/**
 * The parsed message, in whose structured content the integers keep the digits of its text. Elsewhere they are read, in the
 * limits of a schema for example, and remain numbers.
 */
export function withExactStructure(message: unknown, text: string): unknown {
  if (!isJsonObject(message) || !isJsonObject(message.result)) return message;
  const { result } = message;
  if (result.structuredContent === undefined) return message;
  const structuredContent = exactStructure(text, message.id);
  return structuredContent === undefined ? message : { ...message, result: { ...result, structuredContent } };
}

/** The structured content of the response with this id, whose integers keep their digits; undefined if none would lose any. */
export function exactStructure(text: string, id: unknown): unknown {
  const message = exactJson(text);
  if (!isJsonObject(message) || message.id !== id || !isJsonObject(message.result)) return undefined;
  return message.result.structuredContent;
}
