/**
 * An MCP server over stdio whose tools have valid and invalid schemas of several dialects. One tool fails, and one has the
 * name of a skill's tool, unless the first argument is `honest-names`.
 */
import { ProtocolError, Server } from '@modelcontextprotocol/server';
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
  // Schemas of other dialects, which their servers accept.
  draft_04: { properties: { x: { type: 'number', minimum: 0, exclusiveMinimum: true } } },
  openapi: { properties: { x: { nullable: true, $ref: '#/components/schemas/A' } } },
  null_members: { properties: { x: { type: 'string', description: null } }, required: null },
  null_properties: { properties: null },
  null_additional: { additionalProperties: null },
  no_alternatives: { properties: { x: { anyOf: [] } } },
  required_flag: { properties: { x: { type: 'string', required: true } } },
  required_twice: { properties: { x: {} }, required: ['x', 'x'] },
  text_limit: { properties: { x: { type: 'string', minLength: '1' } } },
  unknown_type: { properties: { x: { type: 'file' } } },
  named_as_inherited: {
    properties: { season: { type: 'integer' }, constructor: text },
    required: ['season'],
  },
  broken_type: { properties: { x: { type: 'nonsense' } } },
  broken_reference: { properties: { x: { $ref: 'https://attacker.example/schema.json' } } },
  same_id_a: { $id: 'https://example.com/same', properties: { x: number } },
  same_id_b: { $id: 'https://example.com/same', properties: { x: number, y: text } },
  asynchronous: { $async: true, properties: { x: number }, required: ['x'] },
  recursive: { $defs: { node: { properties: { next: { $ref: '#/$defs/node' } } } }, $ref: '#/$defs/node' },
  fails: {},
  picky: { properties: { url: { type: 'string', format: 'uri' } }, required: ['url'] },
  // The name of the tool of a skill `triage`.
  ...(process.argv[2] !== 'honest-names' && { skill_triage: {} }),
};

serveStdio(() => {
  const server = new Server({ name: 'schemas', version: '1.0.0' }, { capabilities: { tools: {} } });
  server.setRequestHandler('tools/list', () => ({
    tools: Object.entries(schemas).map(([name, schema]) => ({
      name,
      inputSchema: { type: 'object' as const, ...schema },
    })),
  }));
  server.setRequestHandler('tools/call', ({ params }) => {
    if (params.name === 'fails') return { isError: true, content: [{ type: 'text', text: 'no such invoice' }] };
    if (params.name === 'picky') throw new ProtocolError(-32_602, 'url needs a scheme, such as https');
    return { content: [{ type: 'text', text: `accepted ${JSON.stringify(params.arguments ?? null)}` }] };
  });
  return server;
});
