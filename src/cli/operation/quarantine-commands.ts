/** `hestia quarantine`: list, show, approve and refuse skills and tools that policy stopped or noted. */
import type { Command } from 'commander';
import type { z } from 'zod';
import { quarantineKindSchema, quarantineStateSchema, quarantineViewSchema } from '../../shapes/quarantine.ts';
import { printable } from '../../shapes/text.ts';
import { type CommandContext, type HubOptions, hubOf, withHubOptions } from '../command-context.ts';
import { CommandError, exitCodes } from '../command-error.ts';
import { choiceOption, queryOf } from '../command-options.ts';
import { relativeTime } from '../terminal/relative-time.ts';

type Entry = z.infer<typeof quarantineViewSchema>;

interface ListOptions extends HubOptions {
  kind?: string;
  state?: string;
  query?: string;
}

/** Adds the commands below `quarantine`. */
export function addQuarantineCommands(program: Command, context: CommandContext): void {
  const quarantine = program.command('quarantine').description('list, show and decide on suspected skills and tools');
  withHubOptions(quarantine.command('list'), context)
    .description('list suspected or changed skills and tools, newest first')
    .addOption(choiceOption('--kind <kind>', 'only these', quarantineKindSchema.options))
    .addOption(choiceOption('--state <state>', 'only those in this state', quarantineStateSchema.options))
    .option('--query <text>', 'only entries whose name, namespace or server contains this text')
    .action(async ({ kind, state, query, ...options }: ListOptions) => {
      const path = `/v1/quarantine${queryOf({ kind, state, query })}`;
      const found = await hubOf(options).list(path, quarantineViewSchema, context.signal);
      context.output.table(found, columns, 'nothing is in quarantine');
    });
  withHubOptions(quarantine.command('show'), context)
    .description('show what was found in an entry, and what has changed')
    .argument('<id>', 'the id of the entry, or its last eight characters')
    .action(async (id: string, options: HubOptions) => {
      const entry = await findEntry(id, options, context);
      context.output.record(entry, entryLines(entry));
    });
  withHubOptions(quarantine.command('approve'), context)
    .description('approve the content of an entry, by its digest; other content is held again')
    .argument('<id>', 'the id of the entry, or its last eight characters')
    .action((id: string, options: HubOptions) => decide(id, 'approve', { options, context }));
  withHubOptions(quarantine.command('refuse'), context)
    .description('refuse the content of an entry, by its digest; an active skill with it is deactivated')
    .argument('<id>', 'the id of the entry, or its last eight characters')
    .requiredOption('--reason <text>', 'why, for the record')
    .action((id: string, { reason, ...options }: HubOptions & { reason: string }) =>
      decide(id, 'refuse', { options, context, json: { reason } }),
    );
}

/** Sends the decision on an entry and prints its result. */
async function decide(
  id: string,
  decision: 'approve' | 'refuse',
  { options, context, json }: { options: HubOptions; context: CommandContext; json?: object },
): Promise<void> {
  const { quarantineId } = await findEntry(id, options, context);
  const path = `/v1/quarantine/${encodeURIComponent(quarantineId)}/${decision}`;
  const request = { method: 'POST', signal: context.signal, ...(json !== undefined && { json }) } as const;
  const entry = await hubOf(options).request(path, quarantineViewSchema, request);
  const who = entry.decidedBy ?? 'an operator';
  context.output.record(entry, [`${printable(entry.name)} is ${entry.state} by ${who}`]);
}

const columns = [
  { title: 'ID', cell: ({ quarantineId }: Entry) => quarantineId.slice(-8) },
  { title: 'STATE', cell: ({ state }: Entry) => state },
  { title: 'KIND', cell: ({ kind }: Entry) => kind },
  { title: 'FROM', cell: ({ serverId, namespace }: Entry) => serverId ?? namespace, isText: true },
  { title: 'NAME', cell: ({ name }: Entry) => name, isText: true },
  { title: 'SINCE', cell: ({ createdAt }: Entry) => relativeTime(createdAt) },
  { title: 'FOUND', cell: ({ findings, changes }: Entry) => foundText({ findings, changes }), isText: true },
];

function foundText({ findings, changes }: Pick<Entry, 'findings' | 'changes'>): string {
  const rules = [...new Set(findings.map(({ ruleId, severity }) => `${severity} ${ruleId}`))];
  const fields = changes.map(({ field }) => `changed ${field}`);
  return [...rules, ...fields].join(', ');
}

/** The entry of an id, or of the end of one. @throws CommandError unless there is exactly one */
async function findEntry(id: string, options: HubOptions, { signal }: CommandContext): Promise<Entry> {
  const found = await hubOf(options).list('/v1/quarantine', quarantineViewSchema, signal);
  const matching = found.filter(({ quarantineId }) => quarantineId === id || quarantineId.endsWith(id));
  const [entry] = matching;
  if (entry !== undefined && matching.length === 1) return entry;
  const count = matching.length === 0 ? 'no entry has' : `${matching.length} entries have`;
  throw new CommandError(exitCodes.failed, `${count} the id ${printable(id)}; see hestia quarantine list`);
}

function entryLines({ quarantineId, kind, name, state, serverId, namespace, ...entry }: Entry): string[] {
  return [
    `${quarantineId}  ${state}`,
    `${kind} ${name} of ${serverId ?? namespace}, since ${entry.createdAt} (${relativeTime(entry.createdAt)})`,
    `digest ${entry.digest}`,
    ...(entry.decidedBy === undefined ? [] : [`decided by ${entry.decidedBy} at ${entry.decidedAt}`]),
    ...entry.findings.flatMap(({ ruleId, severity, evidence }) => [`${severity} ${ruleId}`, `  ${evidence}`]),
    ...entry.changes.flatMap(({ field, before, after }) => [
      `changed ${field}`,
      `  - ${before ?? '(absent)'}`,
      `  + ${after ?? '(absent)'}`,
    ]),
  ].map(printable);
}
