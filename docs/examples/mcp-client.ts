/**
 * An MCP client for a running hub: `npm run client -- list`, or `npm run client -- <tool> '<arguments as JSON>'`.
 * Reads the operator key from the data directory, or uses another one with --key.
 */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';

async function run(): Promise<void> {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: { url: { type: 'string', default: 'http://127.0.0.1:7420/mcp' }, key: { type: 'string' } },
  });
  const [name = 'list', json = '{}'] = positionals;
  const key = values.key ?? readFileSync('data/operator.key', 'utf8').trim();
  const client = new Client({ name: 'example', version: '1.0.0' }, { versionNegotiation: { mode: 'auto' } });
  const requestInit = { headers: { authorization: `Bearer ${key}` } };
  await client.connect(new StreamableHTTPClientTransport(new URL(values.url), { requestInit }));
  if (name === 'list') {
    const { tools } = await client.listTools();
    for (const tool of tools) console.log(`${tool.name.padEnd(24)} ${tool.description?.split('. ')[0] ?? ''}`);
  } else {
    const result = await client.callTool({ name, arguments: JSON.parse(json) });
    for (const block of result.content) console.log(block.type === 'text' ? block.text : JSON.stringify(block));
  }
  await client.close();
}

try {
  await run();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
