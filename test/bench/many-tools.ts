/** Generated tools that resemble real ones: each has a verb, an object and a system, and a description. */
import { Server } from '@modelcontextprotocol/server';
import type { IndexedTool } from '../../src/shapes/tool.ts';

const verbs = [
  'create',
  'delete',
  'list',
  'read',
  'update',
  'search',
  'export',
  'import',
  'archive',
  'restore',
  'approve',
  'assign',
  'cancel',
  'clone',
  'compare',
  'convert',
  'deploy',
  'enable',
  'merge',
  'notify',
];
const things = [
  'invoice',
  'ticket',
  'branch',
  'repository',
  'container',
  'database',
  'customer',
  'calendar event',
  'contract',
  'dashboard',
  'document',
  'incident',
  'issue',
  'journal entry',
  'key',
  'license',
  'message',
  'metric',
  'order',
  'payment',
  'pipeline',
  'pull request',
  'queue',
  'report',
  'role',
  'secret',
  'shipment',
  'spreadsheet',
  'subscription',
  'webhook',
];
const systems = [
  'billing',
  'support',
  'source control',
  'cloud',
  'storage',
  'sales',
  'legal',
  'monitoring',
  'identity',
  'logistics',
];
const manners = [
  'by its id',
  'by a filter',
  'in bulk',
  'for a team',
  'for a time range',
  'with its history',
  'as a draft',
];

const pick = <T>(items: readonly T[], index: number): T => {
  const item = items[index % items.length];
  if (item === undefined) throw new Error('there is nothing to pick from');
  return item;
};

/** The words of the tool with this number, from 0. The first 42,000 differ. */
function wordsOf(number: number) {
  const verb = pick(verbs, number);
  const thing = pick(things, Math.floor(number / verbs.length));
  const manner = pick(manners, Math.floor(number / (verbs.length * things.length)));
  const system = pick(systems, Math.floor(number / (verbs.length * things.length * manners.length)));
  return { verb, thing, manner, system };
}

/** The tool with this number, as a server lists it. */
export function manyTool(number: number) {
  const { verb, thing, manner, system } = wordsOf(number);
  const name = `${verb}_${thing}_${manner}_${system}`.replaceAll(' ', '_');
  return {
    name,
    description: `Use this to ${verb} a ${thing} ${manner} in the ${system} system. Answers the ${thing} as it is after the call.`,
    inputSchema: {
      type: 'object' as const,
      properties: {
        id: { type: 'string', description: `The id of the ${thing}.` },
        reason: { type: 'string', description: `Why you ${verb} it.` },
        limit: { type: 'integer', minimum: 1, maximum: 100 },
      },
      required: ['id'],
    },
  };
}

/** A query for the tool with this number. */
export function manyToolsQuery(number: number): string {
  const { verb, thing, manner, system } = wordsOf(number);
  return `I need to ${verb} the ${thing} ${manner} that belongs to ${system}`;
}

/** Configurations of servers at the address of a many-tools-server.ts, with `count` tools in total and `perServer` each. */
export function manyToolsServers(url: string, count: number, perServer: number): Record<string, object> {
  const servers: Record<string, object> = {};
  for (let from = 0; from < count; from += perServer) {
    servers[`many-${from / perServer}`] = { type: 'http', url: `${url}/${from}/${Math.min(perServer, count - from)}` };
  }
  return servers;
}

/** A server with `count` tools from the number `from` on. Each returns its own name. */
export function manyToolsServer(from: number, count: number): Server {
  const tools = Array.from({ length: count }, (_, index) => manyTool(from + index));
  const server = new Server({ name: 'many', version: '1.0.0' }, { capabilities: { tools: { listChanged: true } } });
  server.setRequestHandler('tools/list', async () => ({ tools }));
  server.setRequestHandler('tools/call', async ({ params }) => ({ content: [{ type: 'text', text: params.name }] }));
  return server;
}

/** The tools in the form of the index. Another `edition` has other descriptions. */
export function manyIndexedTools(from: number, count: number, edition = ''): IndexedTool[] {
  return Array.from({ length: count }, (_, index): IndexedTool => {
    const { name: toolName, description, inputSchema } = manyTool(from + index);
    const absent = { title: undefined, outputSchema: undefined, annotations: undefined };
    const definition = {
      serverId: `many-${from}`,
      toolName,
      description: description + edition,
      inputSchema,
      ...absent,
    };
    return { source: 'upstream', namespace: undefined, definition };
  });
}
