/**
 * The commands beside the routes that they call: each documented operation has a command or a reason for none, and each of its
 * parameters has an option, an argument or a reason. A new parameter of a route without an option fails here.
 */
import type { Command } from 'commander';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createProgram } from '../../src/cli/command-line.ts';
import { commandPaths } from '../../src/cli/completion/command-tree.ts';
import { json } from '../support/hub/hub.ts';
import { type ListeningHub, startListeningHub } from '../support/hub/hub-listening.ts';
import { commandContext } from '../support/programs/command-run.ts';

interface Row {
  /** The command; absent where there is none. */
  command?: string;
  /** Parameters whose option has another name, or `<argument>`. */
  names?: Record<string, string>;
  /** Parameters, or the operation, without an option: why. */
  without?: Record<string, string> | string;
}

const paged = 'the command follows the pages';
const listed = { limit: paged, cursor: paged };
const rows: Record<string, Row> = {
  'GET /livez': { without: 'a probe; hestia status reads /readyz' },
  'GET /readyz': { command: 'status' },
  'GET /v1/status': { command: 'status' },
  'GET /v1/skills': { command: 'skills list', without: listed },
  'PUT /v1/skills/{name}': {
    command: 'skills publish',
    without: { name: 'read from the folder', document: 'read from the folder', files: 'read from the folder' },
  },
  'GET /v1/skills/{name}': { command: 'skills show', names: { name: '<skill>' } },
  'GET /v1/skills/{name}/versions': { command: 'skills versions', names: { name: '<skill>' }, without: listed },
  'GET /v1/skills/{name}/versions/{version}': { command: 'skills show', names: { name: '<skill>' } },
  'DELETE /v1/skills/{name}': { command: 'skills delete', names: { name: '<skill>' } },
  'POST /v1/skills/{name}/activate': { command: 'skills activate', names: { name: '<skills>', ttlSeconds: '--ttl' } },
  'POST /v1/skills/{name}/deactivate': { command: 'skills deactivate', names: { name: '<skills>' } },
  'POST /v1/tools/search': { command: 'tools search', names: { query: '<words>', serverId: '--server' } },
  'GET /v1/searches': { without: 'for the console; search explain reads one' },
  'GET /v1/search-quality': { without: 'for the console' },
  'GET /v1/searches/{searchId}': { command: 'search explain', names: { searchId: '<search-id>' } },
  'GET /v1/tools/stats': { command: 'tools stats' },
  'GET /v1/tools': { command: 'tools list', names: { serverId: '--server' }, without: listed },
  'GET /v1/tools/{server}/{tool}': { command: 'tools show' },
  'PATCH /v1/tools/{server}/{tool}': { command: 'tools enable', without: { enabled: 'the name of the command' } },
  'POST /v1/tools/{server}/{tool}/call': { command: 'tools call' },
  'GET /v1/servers': { command: 'servers list' },
  'POST /v1/servers': {
    command: 'servers add',
    names: { serverId: '<id>', configuration: '<command>' },
  },
  'PATCH /v1/servers/{id}': { command: 'servers update', names: { configuration: '<changes>' } },
  'DELETE /v1/servers/{id}': { command: 'servers remove' },
  'POST /v1/servers/{id}/connect': { command: 'servers connect' },
  'POST /v1/servers/{id}/disconnect': { command: 'servers disconnect' },
  'POST /v1/servers/{id}/login': { command: 'servers login', names: { flow: '--device', agentId: '--agent' } },
  'GET /v1/servers/{id}/login/{loginId}': {
    command: 'servers login',
    without: { loginId: 'the command waits for it' },
  },
  'POST /v1/servers/{id}/logout': { command: 'servers logout', names: { agentId: '--agent' } },
  'GET /v1/audit/events': {
    command: 'audit events',
    names: { agentId: '--agent', traceId: '--trace' },
    without: { cursor: paged, order: 'printed in the order of time' },
  },
  'GET /v1/audit/verify': { command: 'audit verify' },
  'GET /v1/audit/export': { command: 'audit export' },
  'GET /v1/audit/key': { without: 'what audit verify --public-key reads; kept with curl, from another source' },
  'POST /v1/audit/key/rotation': { command: 'audit rotate-key' },
  'GET /v1/audit/events/{seq}/proof': { command: 'audit prove', without: { checkpoint: 'the newest' } },
  'GET /v1/audit/checkpoints': { without: 'for scripts that keep checkpoints elsewhere' },
  'GET /v1/audit/consistency': { command: 'audit verify', without: { from: 'of --checkpoint', to: 'the newest' } },
  'GET /v1/audit/log/checkpoint': { without: 'for readers of C2SP tlog-tiles' },
  'GET /v1/audit/log/tile/{level}/{index}': { without: 'for readers of C2SP tlog-tiles' },
  'GET /v1/audit/log/tile/entries/{index}': { without: 'for readers of C2SP tlog-tiles' },
  'GET /v1/quarantine': { command: 'quarantine list', without: listed },
  'POST /v1/quarantine/{id}/approve': { command: 'quarantine approve' },
  'POST /v1/quarantine/{id}/refuse': { command: 'quarantine refuse' },
  'POST /v1/keys': {
    command: 'keys create',
    names: { agentId: '<agent>', expiresInDays: '--expires', scope: '--server' },
  },
  'GET /v1/keys': { command: 'keys list', without: listed },
  'DELETE /v1/keys/{id}': { command: 'keys revoke', names: { id: '<key-id>' } },
  'GET /v1/scheduler': { command: 'scheduler status' },
  'POST /v1/scheduler/run': { command: 'scheduler run' },
};

/** What is read of an OpenAPI document. */
interface Operation {
  parameters?: { name: string }[];
  requestBody?: { content: Record<string, { schema: Schema }> };
}
interface Schema {
  $ref?: string;
  properties?: Record<string, unknown>;
  anyOf?: Schema[];
  allOf?: Schema[];
}

let hub: ListeningHub;
let operations: Map<string, string[]>;
beforeAll(async () => {
  hub = await startListeningHub();
  const { paths, components } = await json(hub.operator.fetch('/openapi.json'));
  const named = (schema: Schema): Schema =>
    schema.$ref === undefined ? schema : components.schemas[schema.$ref.split('/').at(-1) ?? ''];
  const properties = (schema: Schema | undefined): string[] => {
    if (schema === undefined) return [];
    const { properties: own = {}, anyOf = [], allOf = [] } = named(schema);
    return [...Object.keys(own), ...[...anyOf, ...allOf].flatMap(properties)];
  };
  operations = new Map(
    Object.entries<Record<string, Operation>>(paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, { parameters = [], requestBody }]) => [
        `${method.toUpperCase()} ${path}`,
        [...parameters.map(({ name }) => name), ...properties(requestBody?.content['application/json']?.schema)],
      ]),
    ),
  );
});
afterAll(() => hub[Symbol.asyncDispose]());

const commands = new Map(
  commandPaths(createProgram(commandContext())).map(({ path, command }) => [path.join(' '), command]),
);

/** The options of a command, and its arguments as `<name>`. */
function inputsOf(command: Command): string[] {
  const options = command.options.flatMap(({ long }) => long ?? []);
  return [...options, ...command.registeredArguments.map((argument) => `<${argument.name()}>`)];
}

function optionOf(parameter: string): string {
  return `--${parameter.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

test('every documented operation has a row, and every row an operation', () => {
  expect([...operations.keys()].toSorted()).toEqual(Object.keys(rows).toSorted());
});

test.each(Object.entries(rows))('%s has a command with an option for each parameter', (operation, row) => {
  const { command: name, names = {}, without = {} } = row;
  if (name === undefined) return expect(without).toEqual(expect.any(String));
  const command = commands.get(name);
  expect(command, `there is no command ${name}`).toBeDefined();
  if (command === undefined) return;
  const inputs = inputsOf(command);
  const missing = (operations.get(operation) ?? []).filter((parameter) => {
    if (typeof without === 'object' && parameter in without) return false;
    const accepted = [names[parameter] ?? optionOf(parameter), `<${parameter}>`];
    return !accepted.some((input) => inputs.includes(input));
  });
  expect(missing).toEqual([]);
});
