/**
 * An MCP server over stdio, without a library, that describes itself and its lists loosely: the first argument is JSON with
 * members of its answer to `initialize`, and the answers to its lists, page by page.
 */
import { createInterface } from 'node:readline';

type Message = { id?: number; method?: string; params?: { protocolVersion?: string; cursor?: unknown } };

/** What the server answers. A page is chosen by its cursor, which is the position of the page. */
interface LooseAnswers {
  introduction?: Record<string, unknown>;
  pages?: Record<string, unknown>[];
  results?: Record<string, unknown>;
}

const { introduction, pages, results = {} }: LooseAnswers = JSON.parse(process.argv[2] ?? '{}');
const plainTool = { name: 'plain', description: 'Does nothing.', inputSchema: { type: 'object' } };
const content = [{ type: 'text', text: 'done' }];

function answer({ method, params }: Message): unknown {
  switch (method) {
    case 'initialize':
      return {
        protocolVersion: params?.protocolVersion,
        capabilities: { tools: {} },
        serverInfo: { name: 'loose', version: '1.0.0' },
        ...introduction,
      };
    case 'tools/list':
      return (pages ?? [{ tools: [plainTool] }])[Number(params?.cursor ?? 0)];
    case 'tools/call':
      return { content };
    default:
      return results[method ?? ''];
  }
}

createInterface({ input: process.stdin }).on('line', (line) => {
  const message: Message = JSON.parse(line);
  if (message.id === undefined) return;
  const result = answer(message);
  const outcome = result === undefined ? { error: { code: -32_601, message: 'Method not found' } } : { result };
  process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', id: message.id, ...outcome })}\n`);
});
