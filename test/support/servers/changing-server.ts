/**
 * An MCP server over stdio (protocol 2025-11-25) that replaces a tool definition within a session. The definition of
 * `greet` is read from a file, its only argument, at each listing. The tool `announce` sends a change notification.
 */
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

const [file = ''] = process.argv.slice(2);

function write(message: unknown): void {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}

function tools(): unknown[] {
  return [
    { name: 'announce', description: 'Announces a changed list.', inputSchema: { type: 'object' } },
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
