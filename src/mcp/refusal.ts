/** HTTP refusals of the MCP endpoints, whose body is a JSON-RPC error. */
import { ProtocolError } from '@modelcontextprotocol/server';

/** A response with this status and error; a 405 names the methods that are allowed. `id` is that of the request, if known. */
export function jsonRpcRefusal(
  status: number,
  { code, message, data }: ProtocolError,
  id: string | number | null = null,
): Response {
  const headers = status === 405 ? { allow: 'GET, POST' } : {};
  return Response.json({ jsonrpc: '2.0', error: { code, message, data }, id }, { status, headers });
}

/** The refusal of other methods than POST and GET. */
export function methodNotAllowed(): Response {
  return notServed('only POST and GET are served here');
}

/** The refusal of a GET by a client of the HTTP+SSE transport, which would wait for an event that Streamable HTTP does not have. */
export function noSession(): Response {
  return notServed('GET without a session: Streamable HTTP begins with POST; the HTTP+SSE transport is at /sse');
}

function notServed(message: string): Response {
  return jsonRpcRefusal(405, new ProtocolError(-32000, message, { code: 'METHOD_NOT_ALLOWED' }));
}

/** Seconds after which a client may open a refused stream again: streams end when their clients disconnect. */
const streamRetryAfterSeconds = 5;

/** The refusal of a stream while no place is left for it. */
export function tooManyStreams(): Response {
  const error = new ProtocolError(-32603, 'too many streams are open; try again', { code: 'OVERLOADED' });
  const refusal = jsonRpcRefusal(503, error);
  refusal.headers.set('retry-after', String(streamRetryAfterSeconds));
  return refusal;
}
