/** `hestia search`: why a search answered what it answered. */
import type { Command } from 'commander';
import { z } from 'zod';
import { printable } from '../shapes/text.ts';
import { type CommandContext, type HubOptions, hubOf, withHubOptions } from './command-context.ts';

const searchSchema = z.looseObject({
  query: z.string(),
  agentId: z.string(),
  searchedAt: z.string(),
  shown: z.array(
    z.looseObject({
      serverId: z.string(),
      toolName: z.string(),
      explanation: z.looseObject({ words: z.array(z.string()) }),
    }),
  ),
});

/** Adds the commands below `search`. */
export function addSearchCommands(program: Command, context: CommandContext): void {
  const search = program.command('search').description('read searches that were made');
  withHubOptions(search.command('explain'), context)
    .description('what a search showed, and what put each tool where it stood')
    .argument('<search-id>', 'such as srch_6f1c…')
    .action(async (searchId: string, options: HubOptions) => {
      const path = `/v1/searches/${encodeURIComponent(searchId)}`;
      const found = await hubOf(options).ask(path, searchSchema, { signal: context.signal });
      const { output } = context;
      output.record(found, [
        `${found.agentId} asked at ${found.searchedAt}: ${printable(found.query)}`,
        ...found.shown.flatMap(({ serverId, toolName, explanation }, at) => [
          '',
          `${at + 1}. ${printable(serverId)} ${printable(toolName)}`,
          ...explanation.words.map((line) => output.tone('quiet', `   ${line}`)),
        ]),
      ]);
    });
}
