/**
 * An MCP client for a running hub: `npm run client -- list`, or `npm run client -- <tool> '<arguments as JSON>'`.
 * It follows HESTIA_HOST, HESTIA_PORT and HESTIA_DATA_DIR as the hub does: the address, and the operator key in the data
 * directory. --url and --key name others.
 */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { clientDefaults } from '../../src/config.ts';

async function run(): Promise<void> {
  const defaults = clientDefaults({ environment: process.env, workingDirectory: process.cwd() });
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: { url: { type: 'string', default: `${defaults.url}/mcp` }, key: { type: 'string' } },
  });
  const [name = 'list', json = '{}'] = positionals;
  const key = values.key ?? readFileSync(defaults.operatorKeyFile, 'utf8').trim();
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
