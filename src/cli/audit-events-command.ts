/** `hestia audit events`: lists audit records that match filters, and follows new ones. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Command } from 'commander';
import type { z } from 'zod';
import { type AuditRecord, auditRecordSchema } from '../shapes/audit.ts';
import { eventNameSchema, outcomeSchema } from '../shapes/event.ts';
import { encodeCursor, pageSchema } from '../shapes/page.ts';
import { type CommandContext, type HubOptions, hubOf, withHubOptions } from './command-context.ts';
import { choiceOption, wholeNumber } from './command-options.ts';
import type { Column } from './command-output.ts';
import type { HubClient } from './hub-client.ts';

const pageSize = 200;
const recordsMax = 10_000;
const followMs = 1000;

interface EventsOptions extends HubOptions {
  limit: number;
  follow?: boolean;
  event?: string;
  outcome?: string;
  agent?: string;
  server?: string;
  tool?: string;
  skill?: string;
  target?: string;
  trace?: string;
  since?: string;
  until?: string;
}

/** A record in an answer. A hub of another version may have other events and fields. */
const listedRecordSchema = auditRecordSchema.loose();
const recordPageSchema = pageSchema(listedRecordSchema);

/** Adds the command. */
export function addEventsCommand(audit: Command, context: CommandContext): void {
  withHubOptions(audit.command('events'), context)
    .description('list the newest audit records that match, in the order of time')
    .option('--limit <count>', 'how many records at most', wholeNumber(1, recordsMax), 50)
    .option('--follow', 'print new records as they come, until interrupted')
    .addOption(choiceOption('--event <event>', 'only this event', eventNameSchema.options))
    .addOption(choiceOption('--outcome <outcome>', 'only tool calls with this outcome', outcomeSchema.options))
    .option('--agent <id>', 'only this agent')
    .option('--server <id>', 'only this server and its tools')
    .option('--tool <server/tool>', 'only this tool')
    .option('--skill <name>', 'only this skill')
    .option('--target <target>', 'only this target, as records name it')
    .option('--trace <id>', 'only this trace')
    .option('--since <time>', 'from this time: ISO 8601, or how long ago (15m, 2h, 7d)')
    .option('--until <time>', 'before this time')
    .action(async (options: EventsOptions) => {
      const hub = hubOf(options);
      const filters = filtersOf(options);
      const found = await newestRecords(hub, filters, { limit: options.limit, signal: context.signal });
      context.output.table(found, columns, 'no record matches');
      if (options.follow) await follow(hub, filters, { after: found.at(-1)?.seq, context });
    });
}

const columns: Column<AuditRecord>[] = [
  { title: 'TIME', cell: ({ time }) => time.replace('T', ' ').replace(/\.\d+Z$/, 'Z') },
  { title: 'SEQ', cell: ({ seq }) => seq },
  { title: 'AGENT', cell: ({ agent_id: agentId }) => agentId },
  { title: 'OUTCOME', cell: ({ outcome }) => outcome },
  { title: 'EVENT', cell: ({ event }) => event, isText: true },
  { title: 'TARGET', cell: ({ target }) => target, isText: true },
];

function filtersOf({ event, outcome, agent, server, tool, skill, target, trace, since, until }: EventsOptions) {
  const named = { event, outcome, agentId: agent, server, tool, skill, target, traceId: trace, since, until };
  const given = Object.entries(named).filter((filter): filter is [string, string] => filter[1] !== undefined);
  return new URLSearchParams(given);
}

/** The newest records that match, oldest first. */
async function newestRecords(
  hub: HubClient,
  filters: URLSearchParams,
  { limit, signal }: { limit: number; signal: AbortSignal },
): Promise<AuditRecord[]> {
  const found: AuditRecord[] = [];
  let cursor: string | undefined;
  do {
    const page = { order: 'newest', limit: Math.min(pageSize, limit - found.length), cursor };
    const { items, nextCursor } = await readPage(hub, filters, page, signal);
    found.push(...items);
    cursor = nextCursor;
  } while (cursor !== undefined && found.length < limit);
  return found.reverse();
}

/** Prints records after `after` as they come. Where there is none yet, it begins with the newest of the whole trail. */
async function follow(
  hub: HubClient,
  filters: URLSearchParams,
  { after, context: { output, signal } }: { after: number | undefined; context: CommandContext },
): Promise<void> {
  let last = after ?? (await newestRecords(hub, new URLSearchParams(), { limit: 1, signal })).at(-1)?.seq ?? 0;
  while (!signal.aborted) {
    const page = { order: 'oldest', limit: pageSize, cursor: encodeCursor(last) };
    const { items } = await readPage(hub, filters, page, signal);
    if (items.length > 0) output.rows(items, columns);
    last = items.at(-1)?.seq ?? last;
    if (items.length < pageSize) await delay(followMs, undefined, { signal }).catch(() => undefined);
  }
}

async function readPage(
  hub: HubClient,
  filters: URLSearchParams,
  { order, limit, cursor }: { order: string; limit: number; cursor: string | undefined },
  signal: AbortSignal,
): Promise<z.infer<typeof recordPageSchema>> {
  const query = new URLSearchParams({ order, limit: String(limit), ...(cursor !== undefined && { cursor }) });
  return hub.request(`/v1/audit/events?${query}&${filters}`, recordPageSchema, { signal });
}
