/** Errors of requests at the endpoints of servers. A JSON-RPC error that a server answered with is passed on as it is. */
import { type CallToolResult, ProtocolError } from '@modelcontextprotocol/server';
import { HestiaError } from '../../shapes/error.ts';
import type { Log } from '../../telemetry/log.ts';
import { failedResult, protocolError } from '../tool-result.ts';

/**
 * Errors that a client program acts on, not a model: URLs to open first (2025-11-25), and a capability that the server needs
 * and the client does not declare (2026-07-28). What is missing is in their data.
 */
const protocolCodes: ReadonlySet<number> = new Set([-32_042, -32_021]);
const invalidParams = -32_602;

/** The JSON-RPC error of a failed request. */
export function endpointError(error: unknown, log: Log): ProtocolError {
  const answered = serverError(error);
  return answered ?? protocolError(error, log);
}

/**
 * The result of a tool that failed.
 * @param isRetry whether the call repeats one with answers to the server, whose state the server may refuse
 * @throws the JSON-RPC error, if the failure is one of the protocol
 */
export function endpointFailure(error: unknown, log: Log, isRetry = false): CallToolResult {
  if (error instanceof HestiaError && error.code === 'NOT_FOUND') throw error;
  const code = error instanceof HestiaError ? error.upstream?.jsonRpcCode : undefined;
  const isOfProtocol = code !== undefined && (protocolCodes.has(code) || (isRetry && code === invalidParams));
  if (isOfProtocol) throw serverError(error) ?? error;
  return failedResult(error, log);
}

function serverError(error: unknown): ProtocolError | undefined {
  if (!(error instanceof HestiaError) || error.upstream === undefined) return undefined;
  const { jsonRpcCode, text, data } = error.upstream;
  return new ProtocolError(jsonRpcCode, text === '' ? error.message : text, data);
}
