/** `hestia tools`: search, call, statistics. */
import type { Command } from 'commander';
import type { JsonObject } from '../shapes/json.ts';
import { type SearchAnswer, searchAnswerSchema } from '../shapes/search-answer.ts';
import { printable } from '../shapes/text.ts';
import { searchSourceSchema, toolCallViewSchema, toolStatisticsViewSchema } from '../shapes/tool.ts';
import { type CommandContext, type HubOptions, hubOf, withHubOptions } from './command-context.ts';
import { CommandError, exitCodes } from './command-error.ts';
import { choiceOption, jsonObject, wholeNumber } from './command-options.ts';
import { addDefinitionCommands } from './tools/definition-commands.ts';

const resultsMax = 50;
const timeoutMsMax = 3_600_000;

/** Adds the commands below `tools`. */
export function addToolCommands(program: Command, context: CommandContext): void {
  const tools = program.command('tools').description('search and call tools, and read their statistics');
  addDefinitionCommands(tools, context);
  addSearch(tools, context);
  addCall(tools, context);
  addStatistics(tools, context);
}

function addSearch(tools: Command, context: CommandContext): void {
  withHubOptions(tools.command('search'), context)
    .description('find tools that fit a description of the task')
    .argument('<words...>', 'what the tool should do')
    .option('--limit <count>', 'maximum number of results', wholeNumber(1, resultsMax), 10)
    .addOption(
      choiceOption(
        '--source <source>',
        'only tools from this source, or prompts or resources',
        searchSourceSchema.options,
      ),
    )
    .option('--server <id>', 'only tools of this server')
    .option('--explain', 'return the reasons for the rank of each result', false)
    .option('--include-schemas', 'return the input schema of each result', false)
    .action(async (words: string[], options: SearchOptions) => {
      const { limit, source, server: serverId, explain, includeSchemas } = options;
      const json = { query: words.join(' '), limit, source, serverId, explain, includeSchemas };
      const request = { json, signal: context.signal };
      const { searchId, results, ...notes } = await hubOf(options).request(
        '/v1/tools/search',
        searchAnswerSchema,
        request,
      );
      context.output.table(
        results.map((result) => ({ searchId, ...result })),
        [
          { title: 'SERVER', cell: ({ serverId }) => serverId },
          { title: 'TOOL', cell: ({ toolName }) => toolName, isText: true },
          { title: 'SOURCE', cell: ({ source }) => source },
          { title: 'SCORE', cell: ({ score }) => score.toFixed(2) },
          { title: 'DESCRIPTION', cell: ({ description }) => description, isText: true },
        ],
        'no matching tools',
      );
      if (!context.output.isTerminal) return;
      for (const line of [...noteLines(notes), searchId]) context.output.raw(`${context.output.tone('quiet', line)}\n`);
    });
}

interface SearchOptions extends HubOptions {
  limit: number;
  source?: string;
  server?: string;
  explain: boolean;
  includeSchemas: boolean;
}

/** Which servers the answer is without. */
function noteLines({ serversConnecting = [], serversUnavailable = [] }: Partial<SearchAnswer>): string[] {
  const named = (servers: readonly string[]) => servers.map(printable).join(', ');
  return [
    ...(serversConnecting.length === 0 ? [] : [`still connecting, search again: ${named(serversConnecting)}`]),
    ...(serversUnavailable.length === 0 ? [] : [`not connected: ${named(serversUnavailable)}`]),
  ];
}

function addCall(tools: Command, context: CommandContext): void {
  withHubOptions(tools.command('call'), context)
    .description('call a tool; fails if the tool reports an error')
    .argument('<server>')
    .argument('<tool>')
    .argument('[arguments]', 'the arguments of the tool as a JSON object', jsonObject, {})
    .option('--timeout-ms <milliseconds>', 'the deadline', wholeNumber(1, timeoutMsMax))
    .option('--search-id <id>', 'the id of the search that found the tool')
    .action(
      async (
        server: string,
        tool: string,
        args: JsonObject,
        options: HubOptions & { timeoutMs?: number; searchId?: string },
      ) => {
        const { timeoutMs, searchId } = options;
        const path = `/v1/tools/${encodeURIComponent(server)}/${encodeURIComponent(tool)}/call`;
        const json = {
          arguments: args,
          ...(timeoutMs !== undefined && { timeoutMs }),
          ...(searchId !== undefined && { searchId }),
        };
        const answer = await hubOf(options).request(path, toolCallViewSchema.loose(), { json, signal: context.signal });
        const { output } = context;
        const { outcome, latencyMs, result } = answer;
        output.record(answer, [
          ...result.content.flatMap(blockLines),
          output.tone('quiet', `${outcome} after ${latencyMs.toFixed(1)} ms, ${answer.callId}`),
        ]);
        if (result.isError) throw new CommandError(exitCodes.failed, `${tool} reported an error`);
      },
    );
}

/** A content block as lines: the text of a text block, the type of any other block. */
function blockLines(block: JsonObject): string[] {
  if (typeof block.text === 'string') return block.text.split('\n').map(printable);
  return [`(${printable(String(block.type ?? 'unknown'))})`];
}

function addStatistics(tools: Command, context: CommandContext): void {
  withHubOptions(tools.command('stats'), context)
    .description('show outcomes and latency by tool')
    .action(async (options: HubOptions) => {
      const request = { signal: context.signal };
      const { items } = await hubOf(options).request('/v1/tools/stats', toolStatisticsViewSchema, request);
      context.output.table(
        items,
        [
          { title: 'SERVER', cell: ({ serverId }) => serverId },
          { title: 'TOOL', cell: ({ toolName }) => toolName, isText: true },
          { title: 'CALLS', cell: ({ calls }) => calls },
          { title: 'SUCCESS', cell: ({ outcomes }) => outcomes.success },
          { title: 'ERROR', cell: ({ outcomes }) => outcomes.error },
          { title: 'TIMEOUT', cell: ({ outcomes }) => outcomes.timeout },
          { title: 'ABANDONED', cell: ({ outcomes }) => outcomes.abandoned },
          { title: 'MEAN ms', cell: ({ latencyMsMean }) => latencyMsMean.toFixed(1) },
          { title: 'P95 ms', cell: ({ latencyMsP95 }) => latencyMsP95.toFixed(1) },
        ],
        'no tool has been called yet',
      );
    });
}
