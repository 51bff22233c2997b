/** A server with one tool that gives back what it is given: the least an upstream can do. Over stdio where it is started. */
import { Server } from '@modelcontextprotocol/server';
import { StdioServerTransport } from '@modelcontextprotocol/server/stdio';

/** Makes the server, not yet connected. `echo` answers its text, or `bytes` times an x. */
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
