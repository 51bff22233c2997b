/** Errors of requests at the endpoints of servers. A JSON-RPC error that a server answered with is passed on as it is. */
import { type CallToolResult, ProtocolError } from '@modelcontextprotocol/server';
import { HestiaError } from '../../shapes/error.ts';
import type { Log } from '../../telemetry/log.ts';
import { failedResult, protocolError } from '../tool-result.ts';

/** With this error a server of 2025-11-25 asks the client to open URLs first. Clients find them in its data. */
const urlElicitationRequired = -32_042;

/** The JSON-RPC error of a failed request. */
export function endpointError(error: unknown, log: Log): ProtocolError {
  const answered = serverError(error);
  return answered ?? protocolError(error, log);
}

/** The result of a tool that failed. @throws the JSON-RPC error, if the failure is one of the protocol */
export function endpointFailure(error: unknown, log: Log): CallToolResult {
  if (error instanceof HestiaError && error.code === 'NOT_FOUND') throw error;
  if (error instanceof HestiaError && error.upstream?.jsonRpcCode === urlElicitationRequired) {
    throw serverError(error) ?? error;
  }
  return failedResult(error, log);
}

function serverError(error: unknown): ProtocolError | undefined {
  if (!(error instanceof HestiaError) || error.upstream === undefined) return undefined;
  const { jsonRpcCode, text, data } = error.upstream;
  return new ProtocolError(jsonRpcCode, text === '' ? error.message : text, data);
}
