/** `hestia tools list`, `show`, `enable` and `disable`. */
import type { Command } from 'commander';
import { z } from 'zod';
import { printable } from '../../shapes/text.ts';
import { listedToolSchema, toolSourceSchema, toolViewSchema } from '../../shapes/tool.ts';
import { type CommandContext, type HubOptions, hubOf, withHubOptions } from '../command-context.ts';
import { choiceOption, queryOf } from '../command-options.ts';

interface ListOptions {
  server?: string;
  source?: string;
  state?: string;
}

/** Adds the commands below `tools`. */
export function addDefinitionCommands(tools: Command, context: CommandContext): void {
  withHubOptions(tools.command('list'), context)
    .description('list all tools, also those that are switched off')
    .option('--server <id>', 'only tools of this server')
    .addOption(choiceOption('--source <source>', 'only tools from this source', toolSourceSchema.options))
    .addOption(choiceOption('--state <state>', 'only tools that are switched on, or off', ['on', 'off']))
    .action(async ({ server: serverId, source, state, ...options }: HubOptions & ListOptions) => {
      const path = `/v1/tools${queryOf({ serverId, source, state })}`;
      const found = await hubOf(options).list(path, listedToolSchema, context.signal);
      context.output.table(
        found,
        [
          { title: 'SERVER', cell: ({ serverId }) => serverId, isText: true },
          { title: 'TOOL', cell: ({ toolName }) => toolName },
          { title: 'STATE', cell: ({ enabled }) => (enabled ? 'on' : 'off') },
          { title: 'DESCRIPTION', cell: ({ title, description }) => description ?? title, isText: true },
        ],
        'no tools',
      );
    });
  withHubOptions(tools.command('show'), context)
    .description('show a tool: its description and its schemas')
    .argument('<server>')
    .argument('<tool>')
    .action(async (server: string, tool: string, options: HubOptions) => {
      const request = { signal: context.signal };
      const found = await hubOf(options).request(pathOf(server, tool), toolViewSchema, request);
      const { description, inputSchema, outputSchema } = found;
      context.output.record(found, [
        ...description.split('\n').map(printable),
        '',
        ...schemaLines('input', inputSchema),
        ...(outputSchema === undefined ? [] : schemaLines('output', outputSchema)),
      ]);
    });
  for (const name of ['enable', 'disable'] as const) {
    withHubOptions(tools.command(name), context)
      .description(`${name} a tool, in the configuration; its server stays connected`)
      .argument('<server>')
      .argument('<tool>')
      .action(async (server: string, tool: string, options: HubOptions) => {
        const enabled = name === 'enable';
        const request = { method: 'PATCH', json: { enabled }, signal: context.signal } as const;
        await hubOf(options).request(pathOf(server, tool), z.undefined(), request);
        const report = { serverId: server, toolName: tool, enabled };
        context.output.record(report, [printable(`${server}/${tool} is ${name}d`)]);
      });
  }
}

function pathOf(server: string, tool: string): string {
  return `/v1/tools/${encodeURIComponent(server)}/${encodeURIComponent(tool)}`;
}

function schemaLines(name: string, schema: object): string[] {
  return [`${name} schema:`, ...JSON.stringify(schema, undefined, 2).split('\n').map(printable)];
}
