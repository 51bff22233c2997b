/**
 * The floor: as little MCP server over Streamable HTTP as there can be, on the SDK's own transport, with sessions and JSON
 * responses. What a raw client takes to call it is R0, which everything else is held against. Listens on the port given.
 */
import { randomUUID } from 'node:crypto';
import { serve } from '@hono/node-server';
import { WebStandardStreamableHTTPServerTransport } from '@modelcontextprotocol/server';
import { echoServer } from './echo-server.ts';

const sessions = new Map<string, WebStandardStreamableHTTPServerTransport>();

async function sessionOf(request: Request): Promise<WebStandardStreamableHTTPServerTransport> {
  const known = sessions.get(request.headers.get('mcp-session-id') ?? '');
  if (known !== undefined) return known;
  const transport = new WebStandardStreamableHTTPServerTransport({
    sessionIdGenerator: randomUUID,
    enableJsonResponse: true,
    onsessioninitialized: (id) => {
      sessions.set(id, transport);
    },
  });
  await echoServer().connect(transport);
  return transport;
}

serve({
  fetch: async (request) => (await sessionOf(request)).handleRequest(request),
  hostname: '127.0.0.1',
  port: Number(process.argv[2]),
});
