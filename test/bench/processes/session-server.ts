/** Streamable HTTP with sessions and JSON responses for the benchmark servers, by the SDK's transport. */
import { randomUUID } from 'node:crypto';
import { serve } from '@hono/node-server';
import { type Server, WebStandardStreamableHTTPServerTransport } from '@modelcontextprotocol/server';

/** Serves on `port`. `serverFor` creates the server of each new session, by the path of its first request. */
export function serveSessions(port: number, serverFor: (path: string) => Server): void {
  const sessions = new Map<string, WebStandardStreamableHTTPServerTransport>();
  const sessionOf = async (request: Request) => {
    const known = sessions.get(request.headers.get('mcp-session-id') ?? '');
    if (known !== undefined) return known;
    const transport = new WebStandardStreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      enableJsonResponse: true,
      onsessioninitialized: (id) => {
        sessions.set(id, transport);
      },
    });
    await serverFor(new URL(request.url).pathname).connect(transport);
    return transport;
  };
  serve({ fetch: async (request) => (await sessionOf(request)).handleRequest(request), hostname: '127.0.0.1', port });
}
