/** HTTP refusals of the MCP endpoints, whose body is a JSON-RPC error. */
import type { ProtocolError } from '@modelcontextprotocol/server';

/** A response with this status and error; a 405 names the methods that are allowed. */
export function jsonRpcRefusal(status: number, { code, message, data }: ProtocolError): Response {
  const headers = status === 405 ? { allow: 'GET, POST' } : {};
  return Response.json({ jsonrpc: '2.0', error: { code, message, data }, id: null }, { status, headers });
}
