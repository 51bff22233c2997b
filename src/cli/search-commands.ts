/** `hestia search`: explains the results and the ranking of a past search. */
import type { Command } from 'commander';
import { searchViewSchema } from '../shapes/search.ts';
import { printable } from '../shapes/text.ts';
import { type CommandContext, type HubOptions, hubOf, withHubOptions } from './command-context.ts';

/** Adds the commands below `search`. */
export function addSearchCommands(program: Command, context: CommandContext): void {
  const search = program.command('search').description('read past searches');
  withHubOptions(search.command('explain'), context)
    .description('show the results of a search, and what decided the rank of each tool')
    .argument('<search-id>', 'the id of the search, as returned by hestia tools search')
    .action(async (searchId: string, options: HubOptions) => {
      const path = `/v1/searches/${encodeURIComponent(searchId)}`;
      const found = await hubOf(options).request(path, searchViewSchema.loose(), { signal: context.signal });
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
