/** `hestia keys`: create, list and revoke API keys. */
import type { Command } from 'commander';
import { z } from 'zod';
import { createdKeyViewSchema, type KeyScope, keyFilterSchema, keyViewSchema, roleSchema } from '../shapes/access.ts';
import { type CommandContext, type HubOptions, hubOf, withHubOptions } from './command-context.ts';
import { choiceOption, daysFromNow, queryOf } from './command-options.ts';
import { addResetCommand } from './key-reset-command.ts';
import { relativeTime } from './terminal/relative-time.ts';

interface KeyOptions {
  namespace: string;
  role: string;
  server?: string[];
  tool?: string[];
  readOnly?: true;
  expires?: number;
}

interface KeyListOptions {
  query?: string;
  namespace?: string;
  role?: string;
  state?: string;
}

/** Adds the commands below `keys`. */
export function addKeyCommands(program: Command, context: CommandContext): void {
  const keys = program.command('keys').description('create, list and revoke API keys');
  addCreateCommand(keys, context);
  addListCommand(keys, context);
  addResetCommand(keys, context);
  withHubOptions(keys.command('revoke'), context)
    .description('revoke a key, effective at once')
    .argument('<key-id>', 'the id of the key: 16 hexadecimal digits, as printed by hestia keys list')
    .action(async (keyId: string, options: HubOptions) => {
      const path = `/v1/keys/${encodeURIComponent(keyId)}`;
      await hubOf(options).request(path, z.undefined(), { method: 'DELETE', signal: context.signal });
      context.output.record({ keyId, revoked: true }, [`${keyId} is revoked`]);
    });
}

function addCreateCommand(keys: Command, context: CommandContext): void {
  withHubOptions(keys.command('create'), context)
    .description('create a key and show it once')
    .argument('<agent>', 'the agent that the key belongs to')
    .option('--namespace <name>', 'the namespace of the agent', 'default')
    .addOption(
      choiceOption('--role <role>', 'the role, which decides what the key may do', roleSchema.options).default('agent'),
    )
    .option('--server <glob>', 'limit the key to servers; may be repeated', repeatable)
    .option(
      '--tool <server/tool>',
      'limit the key to tools, by globs such as github/get_*; may be repeated',
      repeatable,
    )
    .option('--read-only', 'limit the key to tools that only read')
    .option('--expires <time>', 'when the key ends: a time such as 2027-01-31, or in how long (12h, 30d)', daysFromNow)
    .action(async (agentId: string, options: HubOptions & KeyOptions) => {
      const { namespace, role, server: servers, tool: tools, readOnly, expires: expiresInDays } = options;
      const scope = (servers ?? tools ?? readOnly) ? { servers, tools, readOnly } : undefined;
      const json = { agentId, namespace, role, scope, expiresInDays };
      const created = await hubOf(options).request('/v1/keys', createdKeyViewSchema, { json, signal: context.signal });
      context.output.record(created, [
        `${created.keyId} for ${created.agentId} in ${created.namespace} (${created.role})${created.expiresAt === undefined ? '' : `, until ${created.expiresAt}`}, shown this once:`,
        '',
        `    ${created.key}`,
        '',
      ]);
    });
}

function addListCommand(keys: Command, context: CommandContext): void {
  withHubOptions(keys.command('list'), context)
    .description('list keys, without their secrets')
    .option('--query <text>', 'only keys whose agent or id contains this text')
    .option('--namespace <name>', 'only keys of this namespace')
    .addOption(choiceOption('--role <role>', 'only keys of this role', roleSchema.options))
    .addOption(
      choiceOption(
        '--state <state>',
        'only keys in this state; expiring: valid for at most 30 more days',
        keyFilterSchema.shape.state.unwrap().options,
      ),
    )
    .action(async ({ query, namespace, role, state, ...options }: HubOptions & KeyListOptions) => {
      const path = `/v1/keys${queryOf({ query, namespace, role, state })}`;
      const found = await hubOf(options).list(path, keyViewSchema, context.signal);
      context.output.table(
        found,
        [
          { title: 'KEY', cell: ({ keyId }) => keyId },
          { title: 'AGENT', cell: ({ agentId }) => agentId },
          { title: 'NAMESPACE', cell: ({ namespace }) => namespace },
          { title: 'ROLE', cell: ({ role }) => role },
          { title: 'USED', cell: ({ lastUsedAt }) => relativeTime(lastUsedAt) },
          { title: 'STATE', cell: stateOf },
          { title: 'SCOPE', cell: ({ scope }) => scope && scopeText(scope), isText: true },
        ],
        'no keys',
      );
    });
}

/** Whether a key is valid, and until when. */
function stateOf({ revokedAt, expiresAt }: { revokedAt?: string | undefined; expiresAt?: string | undefined }): string {
  if (revokedAt !== undefined) return revokedAt === expiresAt ? 'expired' : 'revoked';
  return expiresAt === undefined ? 'valid' : `ends ${relativeTime(expiresAt)}`;
}

function repeatable(value: string, previous: string[] = []): string[] {
  return [...previous, value];
}

function scopeText({ servers = [], tools = [], readOnly }: KeyScope): string {
  return [...(readOnly ? ['read only'] : []), ...servers, ...tools].join(' ');
}
