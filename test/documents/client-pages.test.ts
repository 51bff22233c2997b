/** The pages of MCP clients: a client that reads what they say to write is connected to the hub with its key. */
import { readdirSync } from 'node:fs';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { parse as parseToml } from 'smol-toml';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { clientSetups } from '../../src/console/client-setups.ts';
import { clientPagePath, withConfiguration } from '../generate/client-pages.ts';
import { type Block, blocksOf, readDocument, repositoryFolder } from '../support/documents/block.ts';
import { type ListeningHub, startListeningHub } from '../support/hub/hub-listening.ts';

/** What clients read of a server, by the names that they have for it. */
const entrySchema = z.object({
  url: z.string().optional(),
  serverUrl: z.string().optional(),
  httpUrl: z.string().optional(),
  headers: z.object({ Authorization: z.string() }).optional(),
  http_headers: z.object({ Authorization: z.string() }).optional(),
  bearer_token_env_var: z.string().optional(),
  args: z.array(z.string()).optional(),
  env: z.record(z.string(), z.string()).optional(),
});
const hestiaSchema = z.object({ hestia: entrySchema });
const fileSchema = z.union([
  z.object({ mcpServers: hestiaSchema }).transform(({ mcpServers }) => mcpServers.hestia),
  z.object({ servers: hestiaSchema }).transform(({ servers }) => servers.hestia),
  z.object({ mcp_servers: hestiaSchema }).transform(({ mcp_servers }) => mcp_servers.hestia),
]);

/** The address and the value of the header `Authorization` that a block configures. */
interface Endpoint {
  url: string | undefined;
  authorization: string | undefined;
}

function endpointOf({ language, text }: Block): Endpoint {
  if (language === 'sh') {
    return { url: /\bhttp:\S+/.exec(text)?.[0], authorization: /--header "Authorization: ([^"]*)"/.exec(text)?.[1] };
  }
  const entry = fileSchema.parse(language === 'toml' ? parseToml(text) : JSON.parse(text));
  const { args = [], env = {} } = entry;
  const fromArguments = args[args.indexOf('--header') + 1]?.replace(/^Authorization:/, '');
  return {
    url: entry.url ?? entry.serverUrl ?? entry.httpUrl ?? args.find((argument) => argument.startsWith('http:')),
    authorization:
      entry.headers?.Authorization ??
      entry.http_headers?.Authorization ??
      (entry.bearer_token_env_var === undefined ? undefined : `Bearer \${${entry.bearer_token_env_var}}`) ??
      fromArguments?.replace(/\$\{(\w+)\}/, (_, name: string) => env[name] ?? ''),
  };
}

const paths = ['docs/clients.md', ...clientSetups.map(clientPagePath)];
const blocks = paths.flatMap((path) => blocksOf(path));

describe('the page of a client', () => {
  let hub: ListeningHub;
  beforeAll(async () => {
    hub = await startListeningHub();
  });
  afterAll(() => hub?.[Symbol.asyncDispose]());

  test('exists for each client that the console configures, and for no other', () => {
    const pages = readdirSync(`${repositoryFolder}/docs/clients`).map((name) => `docs/clients/${name}`);
    expect(pages.sort()).toEqual(clientSetups.map(clientPagePath).sort());
    const index = readDocument('docs/clients.md');
    for (const { id, client } of clientSetups) expect(index).toContain(`[${client}](clients/${id}.md)`);
  });

  test.each(clientSetups)('$id begins with what the console shows', (setup) => {
    const page = readDocument(clientPagePath(setup));
    expect(withConfiguration(page, setup)).toBe(page);
  });

  test.each(blocks.map((block) => ({ ...block, name: `${block.path}:${block.line}` })))(
    '$name connects a client to the hub',
    async (block) => {
      const { url, authorization = '' } = endpointOf(block);
      expect(url).toBe('http://127.0.0.1:7420/mcp');
      // Clients replace variables, each in its own way, and a person replaces <key>.
      const value = authorization.replace(
        /<key>|\$\{(?:env:HESTIA_KEY|HESTIA_KEY|input:hestia-key)\}/,
        hub.operator.secret,
      );
      expect(value).toBe(`Bearer ${hub.operator.secret}`);
      const client = new Client({ name: 'page', version: '1.0.0' }, { versionNegotiation: { mode: 'auto' } });
      const requestInit = { headers: { authorization: value } };
      await client.connect(new StreamableHTTPClientTransport(new URL(`${hub.url}/mcp`), { requestInit }));
      const { tools } = await client.listTools();
      expect(tools.map(({ name }) => name)).toContain('search_tools');
      await client.close();
    },
  );
});
