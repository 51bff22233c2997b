/**
 * An MCP server over stdio (protocol 2025-11-25) whose tool `greet` is described by a file, its only argument, read at
 * each listing. The tool `announce` says that the list changed, which is how a server swaps a definition in mid-session.
 */
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

const [file = ''] = process.argv.slice(2);

function write(message: unknown): void {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}

function tools(): unknown[] {
  return [
    { name: 'announce', description: 'Says that the list changed.', inputSchema: { type: 'object' } },
    { name: 'greet', inputSchema: { type: 'object' }, ...JSON.parse(readFileSync(file, 'utf8')) },
  ];
}

const initializeResult = {
  protocolVersion: '2025-11-25',
  capabilities: { tools: { listChanged: true } },
  serverInfo: { name: 'changing', version: '1.0.0' },
};

createInterface({ input: process.stdin }).on('line', (line) => {
  const { id, method, params } = JSON.parse(line);
  if (id === undefined) return;
  const answer = (result: unknown) => write({ jsonrpc: '2.0', id, result });
  if (method === 'initialize') answer(initializeResult);
  else if (method === 'tools/list') answer({ tools: tools() });
  else if (method === 'tools/call') {
    if (params.name === 'announce') write({ jsonrpc: '2.0', method: 'notifications/tools/list_changed' });
    answer({ content: [{ type: 'text', text: 'hello' }] });
  } else answer({});
});
