/** `hestia tools`: search, call, statistics. */
import type { Command } from 'commander';
import type { z } from 'zod';
import type { JsonObject } from '../shapes/json.ts';
import { searchAnswerSchema } from '../shapes/search-answer.ts';
import { printable } from '../shapes/text.ts';
import { searchSourceSchema, toolCallViewSchema, toolStatisticsViewSchema } from '../shapes/tool.ts';
import { type CommandContext, type HubOptions, hubOf, withHubOptions } from './command-context.ts';
import { CommandError, exitCodes } from './command-error.ts';
import { choiceOption, jsonObject, queryOf, wholeNumber } from './command-options.ts';
import type { Column } from './command-output.ts';
import { relativeTime } from './terminal/relative-time.ts';
import { addDefinitionCommands } from './tools/definition-commands.ts';
import { markOf, noteLines } from './tools/search-notes.ts';

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
      const answer = await hubOf(options).request('/v1/tools/search', searchAnswerSchema, request);
      const { searchId, results } = answer;
      context.output.table(
        results.map((result) => ({ searchId, ...result })),
        [
          { title: 'SERVER', cell: ({ serverId }) => serverId },
          { title: 'TOOL', cell: ({ toolName }) => toolName, isText: true },
          { title: 'SOURCE', cell: ({ source }) => source },
          { title: 'SCORE', cell: ({ score }) => score.toFixed(2) },
          { title: 'NOTE', cell: markOf },
          { title: 'DESCRIPTION', cell: ({ description }) => description, isText: true },
        ],
        'no matching tools',
      );
      const notes = noteLines(answer);
      // In a pipe, results alone are the output.
      if (!context.output.isTerminal) for (const line of notes) context.stderr.write(`${line}\n`);
      else for (const line of [...notes, searchId]) context.output.raw(`${context.output.tone('quiet', line)}\n`);
    });
}

interface SearchOptions extends HubOptions {
  limit: number;
  source?: string;
  server?: string;
  explain: boolean;
  includeSchemas: boolean;
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
    .description('show outcomes, errors and latency by tool')
    .option('--since <time>', 'calls from this time on: ISO 8601, or how long ago (15m, 2h, 7d)')
    .option('--until <time>', 'calls before this time')
    .action(async ({ since, until, ...options }: HubOptions & { since?: string; until?: string }) => {
      const path = `/v1/tools/stats${queryOf({ since, until })}`;
      const { items } = await hubOf(options).request(path, toolStatisticsViewSchema, { signal: context.signal });
      context.output.table(items, statisticsColumns, 'no tool was called');
    });
}

type ToolStatisticsItem = z.infer<typeof toolStatisticsViewSchema>['items'][number];

const statisticsColumns: Column<ToolStatisticsItem>[] = [
  { title: 'SERVER', cell: ({ serverId }) => serverId, isText: true },
  { title: 'TOOL', cell: ({ toolName }) => toolName, isText: true },
  { title: 'CALLS', cell: ({ calls }) => calls },
  { title: 'FAILED', cell: ({ calls, outcomes }) => calls - outcomes.success },
  { title: 'P50 ms', cell: ({ latencyMsP50 }) => milliseconds(latencyMsP50) },
  { title: 'P95', cell: ({ latencyMsP95 }) => milliseconds(latencyMsP95) },
  { title: 'P99', cell: ({ latencyMsP99 }) => milliseconds(latencyMsP99) },
  { title: 'LAST', cell: ({ lastCalledAt }) => relativeTime(lastCalledAt) },
  {
    title: 'ERRORS',
    cell: ({ errorTypes }) =>
      Object.entries(errorTypes)
        .map(([type, count]) => `${count} ${type}`)
        .join(', '),
    isText: true,
  },
];

/** Three significant digits below 100 ms, whole numbers above. */
function milliseconds(ms: number): number {
  return ms < 100 ? Number(ms.toPrecision(3)) : Math.round(ms);
}
