/** A minimal MCP server with one tool, `echo`. As a program it uses stdio. */
import { Server } from '@modelcontextprotocol/server';
import { StdioServerTransport } from '@modelcontextprotocol/server/stdio';

/** Creates the server, not yet connected. `echo` returns its text, or `bytes` times an x. */
export function echoServer(): Server {
  const server = new Server({ name: 'echo', version: '1.0.0' }, { capabilities: { tools: {} } });
  const inputSchema = {
    type: 'object' as const,
    properties: { message: { type: 'string' }, bytes: { type: 'integer' } },
  };
  server.setRequestHandler('tools/list', async () => ({
    tools: [{ name: 'echo', description: 'Gives back what it is given.', inputSchema }],
  }));
  server.setRequestHandler('tools/call', async ({ params: { arguments: args } }) => {
    const text = typeof args?.bytes === 'number' ? 'x'.repeat(args.bytes) : `Echo: ${args?.message}`;
    return { content: [{ type: 'text', text }] };
  });
  return server;
}

if (import.meta.main) await echoServer().connect(new StdioServerTransport());
