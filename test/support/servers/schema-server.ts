/**
 * An MCP server over stdio whose tools have valid and invalid schemas of several dialects. One tool fails, and one has the
 * name of a skill's tool.
 */
import { Server } from '@modelcontextprotocol/server';
import { serveStdio } from '@modelcontextprotocol/server/stdio';

const pair = { type: 'array', minItems: 2 };
const text = { type: 'string' };
const number = { type: 'number' };
const schemas: Record<string, Record<string, unknown>> = {
  draft_2020: {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    properties: { pair: { ...pair, prefixItems: [text, number] } },
  },
  draft_07: {
    $schema: 'http://json-schema.org/draft-07/schema#',
    properties: { pair: { ...pair, items: [text, number] } },
  },
  no_dialect: { properties: { pair: { ...pair, prefixItems: [text, number] } } },
  broken_type: { properties: { x: { type: 'nonsense' } } },
  broken_reference: { properties: { x: { $ref: 'https://attacker.example/schema.json' } } },
  same_id_a: { $id: 'https://example.com/same', properties: { x: number } },
  same_id_b: { $id: 'https://example.com/same', properties: { x: number, y: text } },
  asynchronous: { $async: true, properties: { x: number }, required: ['x'] },
  recursive: { $defs: { node: { properties: { next: { $ref: '#/$defs/node' } } } }, $ref: '#/$defs/node' },
  fails: {},
  // The name of the tool of a skill `triage`.
  skill_triage: {},
};

serveStdio(() => {
  const server = new Server({ name: 'schemas', version: '1.0.0' }, { capabilities: { tools: {} } });
  server.setRequestHandler('tools/list', () => ({
    tools: Object.entries(schemas).map(([name, schema]) => ({
      name,
      inputSchema: { type: 'object' as const, ...schema },
    })),
  }));
  server.setRequestHandler('tools/call', ({ params }) =>
    params.name === 'fails'
      ? { isError: true, content: [{ type: 'text', text: 'no such invoice' }] }
      : { content: [{ type: 'text', text: 'accepted' }] },
  );
  return server;
});
