/** An MCP server over HTTP+SSE, the transport of 2024, from the 1.x library. It knows nothing newer. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { SSEServerTransport } from '@modelcontextprotocol/sdk/server/sse.js';
import { z } from 'zod';

/** A running server. Disposing it stops it at once. */
export interface SseServer extends AsyncDisposable {
  readonly url: string;
  /** The `authorization` of each request. */
  readonly authorizations: (string | undefined)[];
  /** Ends all streams of events, as a restart does. */
  endStreams(): void;
  /** The number of streams that were opened. */
  streamsOpened(): number;
}

/** Starts the server on a free port. With a status, it refuses each stream with it. */
export async function startSseServer(refusedWith?: number): Promise<SseServer> {
  const transports = new Map<string, SSEServerTransport>();
  const streams = new Set<ServerResponse>();
  const authorizations: (string | undefined)[] = [];
  let opened = 0;
  const handle = async (request: IncomingMessage, response: ServerResponse) => {
    authorizations.push(request.headers.authorization);
    const url = new URL(request.url ?? '/', 'http://localhost');
    if (request.method === 'GET' && url.pathname === '/sse') {
      if (refusedWith !== undefined) return void response.writeHead(refusedWith).end();
      opened += 1;
      const transport = new SSEServerTransport('/messages', response);
      transports.set(transport.sessionId, transport);
      streams.add(response);
      return await echoServer().connect(transport);
    }
    const transport = transports.get(url.searchParams.get('sessionId') ?? '');
    if (request.method === 'POST' && transport !== undefined)
      return await transport.handlePostMessage(request, response);
    return void response.writeHead(405).end();
  };
  const server = createServer((request, response) => void handle(request, response));
  const port = await new Promise<number>((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });
  return {
    url: `http://127.0.0.1:${port}/sse`,
    authorizations,
    endStreams: () => {
      for (const stream of streams) stream.end();
      streams.clear();
      transports.clear();
    },
    streamsOpened: () => opened,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function echoServer(): McpServer {
  const server = new McpServer({ name: 'sse', version: '1.0.0' });
  server.registerTool('echo', { description: 'Echoes', inputSchema: { text: z.string() } }, ({ text }) => ({
    content: [{ type: 'text', text }],
  }));
  server.registerTool('large', { description: 'A large result' }, () => ({
    content: [{ type: 'text', text: 'x'.repeat(8_000_000) }],
  }));
  return server;
}
