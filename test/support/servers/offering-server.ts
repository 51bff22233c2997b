/**
 * An MCP server over stdio (protocol 2025-11-25) whose prompts, resources and templates are read from a JSON file, its only
 * argument, at each listing. The tool `announce` sends change notifications for both.
 */
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

const [file = ''] = process.argv.slice(2);

function write(message: unknown): void {
  process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', ...Object(message) })}\n`);
}

const offered = () => JSON.parse(readFileSync(file, 'utf8'));

const results: Record<string, () => unknown> = {
  initialize: () => ({
    protocolVersion: '2025-11-25',
    capabilities: { tools: {}, prompts: { listChanged: true }, resources: { listChanged: true } },
    serverInfo: { name: 'offering', version: '1.0.0' },
  }),
  'tools/list': () => ({ tools: offered().tools }),
  'prompts/list': () => ({ prompts: offered().prompts }),
  'resources/list': () => ({ resources: offered().resources }),
  'resources/templates/list': () => ({ resourceTemplates: offered().templates }),
};

createInterface({ input: process.stdin }).on('line', (line) => {
  const { id, method } = JSON.parse(line);
  if (id === undefined) return;
  if (method === 'tools/call') {
    write({ method: 'notifications/prompts/list_changed' });
    write({ method: 'notifications/resources/list_changed' });
  }
  write({ id, result: results[method]?.() ?? { content: [] } });
});
