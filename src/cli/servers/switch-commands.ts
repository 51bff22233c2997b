/** `hestia servers enable`, `disable`, `connect` and `disconnect`. */
import type { Command } from 'commander';
import type { JsonObject } from '../../shapes/json.ts';
import { serverViewSchema } from '../../shapes/server.ts';
import { type CommandContext, type HubOptions, hubOf, withHubOptions } from '../command-context.ts';

/** What switches a server on, in every notation of an entry. */
const enabled: JsonObject = { disabled: null, enabled: null, isActive: null, autoConnect: null };

/** Adds the four commands below `servers`. */
export function addSwitchCommands(servers: Command, context: CommandContext): void {
  addConfigured(servers, context, {
    name: 'enable',
    description: 'connect a server now and at each start',
    changes: enabled,
  });
  addConfigured(servers, context, {
    name: 'disable',
    description: 'disconnect a server now and at each start',
    changes: { ...enabled, autoConnect: false },
  });
  for (const name of ['connect', 'disconnect'] as const) {
    withHubOptions(servers.command(name), context)
      .description(`${name} a server until the next start of the hub`)
      .argument('<id>', 'the name of the server')
      .action(async (serverId: string, options: HubOptions) => {
        const request = { method: 'POST', signal: context.signal } as const;
        const path = `/v1/servers/${encodeURIComponent(serverId)}/${name}`;
        const server = await hubOf(options).request(path, serverViewSchema, request);
        context.output.record(server, [`${serverId} is ${server.state}`]);
      });
  }
}

function addConfigured(
  servers: Command,
  context: CommandContext,
  { name, description, changes }: { name: string; description: string; changes: JsonObject },
): void {
  withHubOptions(servers.command(name), context)
    .description(description)
    .argument('<id>', 'the name of the server')
    .action(async (serverId: string, options: HubOptions) => {
      const path = `/v1/servers/${encodeURIComponent(serverId)}`;
      const request = { method: 'PATCH', json: { configuration: changes }, signal: context.signal } as const;
      const server = await hubOf(options).request(path, serverViewSchema, request);
      context.output.record(server, [`${serverId} is ${name}d and ${server.state}`]);
    });
}
