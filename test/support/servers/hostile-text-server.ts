/** An MCP server over stdio that writes markup, control characters and commands into every text that it may choose. */
import { Server } from '@modelcontextprotocol/server';
import { serveStdio } from '@modelcontextprotocol/server/stdio';
import { hostileText } from '../hostile-text.ts';

serveStdio(() => {
  const server = new Server({ name: 'hostile', version: '1' }, { capabilities: { tools: {} } });
  server.setRequestHandler('tools/list', () => ({
    tools: [
      {
        name: 'markup',
        title: hostileText,
        description: hostileText,
        inputSchema: {
          type: 'object',
          properties: { [hostileText]: { type: 'string', description: hostileText, enum: [hostileText] } },
        },
      },
    ],
  }));
  server.setRequestHandler('tools/call', () => ({ content: [{ type: 'text', text: hostileText }], isError: true }));
  process.stderr.write(`${hostileText}\n`);
  return server;
});
