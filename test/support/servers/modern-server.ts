/** An MCP server of protocol 2026-07-28, on the official package: over stdio as a program, over HTTP by a function. */
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { serve } from '@hono/node-server';
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server';
import { serveStdio } from '@modelcontextprotocol/server/stdio';
import { z } from 'zod';

const ended: string[] = [];
let discoveriesCount = 0;
const extraTools: string[] = [];

/** Creates the server: one for each request over HTTP, a single one over stdio. */
export function createModernServer(): McpServer {
  const server = new McpServer(
    { name: 'modern', version: '1.0.0' },
    { capabilities: { tools: { listChanged: true } } },
  );
  const text = (value: string) => ({ content: [{ type: 'text' as const, text: value }] });
  const inputSchema = z.object({ region: z.string().meta({ 'x-mcp-header': 'Region' }) });
  server.registerTool('echo', { description: 'Echoes.', inputSchema }, ({ region }, { mcpReq, http }) =>
    text(JSON.stringify({ region, meta: mcpReq._meta ?? {}, http: http !== undefined })),
  );
  server.registerTool('structured', { outputSchema: z.object({ sum: z.number() }) }, () => ({
    content: [],
    structuredContent: { sum: 3 },
    _meta: { 'example.com/kept': true },
  }));
  server.registerTool('count', {}, async ({ mcpReq }) => {
    const progressToken = mcpReq._meta?.progressToken;
    for (let progress = 1; progress <= 3 && progressToken !== undefined; progress += 1) {
      await mcpReq.notify({ method: 'notifications/progress', params: { progressToken, progress, total: 3 } });
    }
    return text('counted');
  });
  server.registerTool('hang', {}, async ({ mcpReq }) => {
    mcpReq.signal.addEventListener('abort', () => ended.push('hang'));
    await delay(60_000, undefined, { signal: mcpReq.signal }).catch(() => {});
    return text('never');
  });
  server.registerTool('ended', {}, () => text(JSON.stringify(ended)));
  server.registerTool('discoveries_count', {}, () => text(String(discoveriesCount)));
  server.registerTool('grow', {}, () => {
    extraTools.push(`extra_${extraTools.length}`);
    server.sendToolListChanged();
    server.registerTool(`extra_${extraTools.length - 1}_live`, {}, () => text('extra'));
    return text('grown');
  });
  for (const name of extraTools) server.registerTool(name, {}, () => text(name));
  return server;
}

/** A running server. Disposing it stops it. */
export interface ModernHttpServer extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly requests: Request[];
  /** Adds a tool and notifies the subscribers. */
  grow(): void;
}

/** Starts the server over HTTP, on a free port unless one is given. It refuses protocols before 2026-07-28. */
export async function startModernHttpServer(port = 0): Promise<ModernHttpServer> {
  const handler = createMcpHandler(createModernServer, { legacy: 'reject' });
  const requests: Request[] = [];
  const { promise, resolve } = Promise.withResolvers<number>();
  const server = serve(
    {
      fetch: (request) => {
        requests.push(request);
        if (request.headers.get('mcp-method') === 'server/discover') discoveriesCount += 1;
        return handler.fetch(request);
      },
      hostname: '127.0.0.1',
      port,
    },
    (info) => resolve(info.port),
  );
  const listening = await promise;
  return {
    url: `http://127.0.0.1:${listening}/mcp`,
    port: listening,
    requests,
    grow() {
      extraTools.push(`extra_${extraTools.length}`);
      handler.notify.toolsChanged();
    },
    async [Symbol.asyncDispose]() {
      await handler.close();
      if ('closeAllConnections' in server) server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}

if (import.meta.main) {
  serveStdio(createModernServer);
  createInterface({ input: process.stdin }).on('line', (line) => {
    if (JSON.parse(line).method === 'server/discover') discoveriesCount += 1;
  });
}
