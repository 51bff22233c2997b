/**
 * Serves the conformance test server of the TypeScript SDK over Streamable HTTP on a free port of this machine, and prints
 * its URL. Clients of 2025 get sessions whose streams can be resumed; those of 2026-07-28 are served without.
 */
import { randomUUID } from 'node:crypto';
import { serve } from '@hono/node-server';
import {
  classifyInboundRequest,
  isInitializeRequest,
  validateHostHeader,
  WebStandardStreamableHTTPServerTransport,
} from '@modelcontextprotocol/server';
import { createEventStore, createMcpServer, modernHandler, transports } from './definition.ts';

/** Milliseconds after which a client resumes a stream that the server has closed. */
const retryIntervalMs = 5000;

async function handle(request: Request): Promise<Response> {
  if (!validateHostHeader(request.headers.get('host'), ['localhost', '127.0.0.1', '[::1]']).ok) {
    return refusal(403, 'Invalid Host');
  }
  const parsedBody: unknown = request.method === 'POST' ? await request.json().catch(() => null) : undefined;
  if (parsedBody !== undefined) {
    const inbound = classifyInboundRequest({
      httpMethod: request.method,
      ...header(request, 'protocolVersionHeader', 'mcp-protocol-version'),
      ...header(request, 'mcpMethodHeader', 'mcp-method'),
      body: parsedBody,
    });
    if (inbound.kind !== 'legacy') return modernHandler.fetch(request, { parsedBody });
  }
  const sessionId = request.headers.get('mcp-session-id');
  if (sessionId === null) {
    if (!isInitializeRequest(parsedBody)) return refusal(400, 'Bad Request: Session ID required');
    return (await openSession()).handleRequest(request, { parsedBody });
  }
  const transport = transports[sessionId];
  if (transport === undefined) return refusal(404, 'Session not found');
  return transport.handleRequest(request, parsedBody === undefined ? {} : { parsedBody });
}

async function openSession(): Promise<WebStandardStreamableHTTPServerTransport> {
  const transport = new WebStandardStreamableHTTPServerTransport({
    sessionIdGenerator: () => randomUUID(),
    eventStore: createEventStore(),
    retryInterval: retryIntervalMs,
    onsessioninitialized: (sessionId) => {
      transports[sessionId] = transport;
    },
  });
  transport.onclose = () => {
    if (transport.sessionId !== undefined) delete transports[transport.sessionId];
  };
  await createMcpServer().connect(transport);
  return transport;
}

function header<Key extends string>(request: Request, key: Key, name: string): { [K in Key]?: string } {
  const value = request.headers.get(name);
  return value === null ? {} : ({ [key]: value } as { [K in Key]?: string });
}

function refusal(status: number, message: string): Response {
  return Response.json({ jsonrpc: '2.0', error: { code: -32_000, message }, id: null }, { status });
}

serve({ fetch: handle, hostname: '127.0.0.1', port: 0 }, ({ port }) => console.log(`http://127.0.0.1:${port}/mcp`));
