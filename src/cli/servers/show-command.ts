/** `hestia servers show`: the state of one upstream server, what it failed with, and its tools. */
import type { Command } from 'commander';
import type { z } from 'zod';
import { serverListViewSchema, type serverViewSchema } from '../../shapes/server.ts';
import { printable } from '../../shapes/text.ts';
import { listedToolSchema } from '../../shapes/tool.ts';
import { type CommandContext, type HubOptions, hubOf, withHubOptions } from '../command-context.ts';
import { CommandError, exitCodes } from '../command-error.ts';
import { relativeTime } from '../terminal/relative-time.ts';

type Server = z.infer<typeof serverViewSchema>;
type Tool = z.infer<typeof listedToolSchema>;

/** Adds the command below `servers`. */
export function addShowCommand(servers: Command, context: CommandContext): void {
  withHubOptions(servers.command('show'), context)
    .description('show one server: its state, its last failure and its tools')
    .argument('<id>', 'the name of the server')
    .action(async (serverId: string, options: HubOptions) => {
      const hub = hubOf(options);
      const request = { signal: context.signal };
      const { items } = await hub.request('/v1/servers', serverListViewSchema, request);
      const server = items.find((one) => one.serverId === serverId);
      if (server === undefined) throw new CommandError(exitCodes.failed, `there is no server ${printable(serverId)}`);
      const listed = await hub.list('/v1/tools', listedToolSchema, context.signal);
      const tools = listed.filter((tool) => tool.serverId === serverId);
      context.output.record({ ...server, tools }, lines(server, tools));
    });
}

function lines(server: Server, tools: readonly Tool[]): string[] {
  const { serverId, transport, state, stateSince, protocolVersion, errorType, reason, failure, retryAt } = server;
  const { stderrLines = [], ...codes } = failure ?? {};
  const failed = [errorType, ...Object.entries(codes).map(([name, value]) => `${name} ${value}`)];
  return [
    `${serverId}  ${state} since ${stateSince} (${relativeTime(stateSince)})`,
    `transport  ${transport}${protocolVersion === undefined ? '' : `, MCP ${protocolVersion}`}`,
    ...(errorType === undefined ? [] : [`failure    ${failed.join(', ')}`]),
    ...(reason === undefined ? [] : [`reason     ${reason}`]),
    ...(retryAt === undefined ? [] : [`next try   ${relativeTime(retryAt)}`]),
    ...stderrLines.map((line) => `stderr     ${line}`),
    `tools      ${tools.length}${server.toolsRefusedCount > 0 ? `, and ${server.toolsRefusedCount} that cannot be offered` : ''}`,
    ...tools.map(({ toolName, enabled }) => `  ${toolName}${enabled ? '' : ' (switched off)'}`),
  ].map(printable);
}
