/** `hestia servers`: list, show, add, change, remove, import and log in to upstream servers. */
import type { Command } from 'commander';
import { z } from 'zod';
import type { JsonObject } from '../../shapes/json.ts';
import { serverViewSchema } from '../../shapes/server.ts';
import { type CommandContext, type HubOptions, hubOf, withHubOptions } from '../command-context.ts';
import { CommandError, exitCodes } from '../command-error.ts';
import { jsonObject } from '../command-options.ts';
import { relativeTime } from '../terminal/relative-time.ts';
import { addImportCommand } from './import-command.ts';
import { addLoginCommands } from './login-commands.ts';
import { addShowCommand } from './show-command.ts';
import { addSwitchCommands } from './switch-commands.ts';

/** Adds the commands below `servers`. */
export function addServerCommands(program: Command, context: CommandContext): void {
  const servers = program
    .command('servers')
    .description('list, add, change, remove, import and log in to upstream servers');
  addList(servers, context);
  addShowCommand(servers, context);
  addAdd(servers, context);
  addUpdate(servers, context);
  addRemove(servers, context);
  addSwitchCommands(servers, context);
  addImportCommand(servers, context);
  addLoginCommands(servers, context);
}

function addList(servers: Command, context: CommandContext): void {
  withHubOptions(servers.command('list'), context)
    .description('list the upstream servers and their state')
    .action(async (options: HubOptions) => {
      const schema = z.object({ items: z.array(serverViewSchema) });
      const { items } = await hubOf(options).request('/v1/servers', schema, { signal: context.signal });
      context.output.table(
        items,
        [
          { title: 'SERVER', cell: ({ serverId }) => serverId },
          { title: 'TRANSPORT', cell: ({ transport }) => transport },
          { title: 'STATE', cell: ({ state }) => state },
          { title: 'TOOLS', cell: ({ toolsCount }) => toolsCount },
          { title: 'SINCE', cell: ({ stateSince }) => relativeTime(stateSince) },
          { title: 'REASON', cell: ({ reason, errorType }) => reason ?? errorType, isText: true },
        ],
        'no servers',
      );
    });
}

interface AddOptions extends HubOptions {
  endpoint?: string;
  type?: string;
  env: Record<string, string>;
  header: Record<string, string>;
}

function addAdd(servers: Command, context: CommandContext): void {
  withHubOptions(servers.command('add'), context)
    .description('add a server: --endpoint with its URL, or -- with the program that starts it and its arguments')
    .argument('<id>', 'the name of the server')
    .argument('[command...]', 'the program and its arguments')
    .option('--endpoint <url>', 'the MCP endpoint of the server')
    .option('--type <type>', 'http or sse; default: both are tried')
    .option('--env <name=value>', 'an environment variable of the program; may be repeated', addPair, {})
    .option('--header <name=value>', 'a header of each request; may be repeated', addPair, {})
    .action(async (serverId: string, words: string[], options: AddOptions) => {
      const json = { serverId, configuration: entryOf(words, options) };
      const added = await hubOf(options).request('/v1/servers', serverViewSchema, { json, signal: context.signal });
      context.output.record(added, [`${serverId} is added and ${added.state}`]);
    });
}

function entryOf([command, ...args]: string[], { endpoint, type, env, header }: AddOptions): JsonObject {
  if ((command === undefined) === (endpoint === undefined)) {
    throw new CommandError(exitCodes.usage, 'give either --endpoint or, after --, the program that starts the server');
  }
  if (endpoint !== undefined) {
    return {
      ...(type !== undefined && { type }),
      url: endpoint,
      ...(Object.keys(header).length > 0 && { headers: header }),
    };
  }
  return { command, ...(args.length > 0 && { args }), ...(Object.keys(env).length > 0 && { env }) };
}

/** Adds `name=value` to those given before. @throws CommandError */
function addPair(text: string, before: Record<string, string>): Record<string, string> {
  const at = text.indexOf('=');
  if (at < 1) throw new CommandError(exitCodes.usage, '--env and --header: must be name=value');
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) };
}

function addUpdate(servers: Command, context: CommandContext): void {
  withHubOptions(servers.command('update').alias('edit'), context)
    .description('change keys of the entry of a server')
    .argument('<id>', 'the name of the server')
    .argument('<changes>', 'the keys to change as a JSON object; null removes a key', jsonObject)
    .action(async (serverId: string, configuration: JsonObject, options: HubOptions) => {
      const path = `/v1/servers/${encodeURIComponent(serverId)}`;
      const request = { method: 'PATCH', json: { configuration }, signal: context.signal } as const;
      const changed = await hubOf(options).request(path, serverViewSchema, request);
      context.output.record(changed, [`${serverId} is changed and ${changed.state}`]);
    });
}

function addRemove(servers: Command, context: CommandContext): void {
  withHubOptions(servers.command('remove'), context)
    .description('remove a server from the configuration and disconnect it')
    .argument('<id>', 'the name of the server')
    .action(async (serverId: string, options: HubOptions) => {
      const path = `/v1/servers/${encodeURIComponent(serverId)}`;
      await hubOf(options).request(path, z.undefined(), { method: 'DELETE', signal: context.signal });
      context.output.record({ serverId, removed: true }, [`${serverId} is removed`]);
    });
}
