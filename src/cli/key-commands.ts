/** `hestia keys`: create, list and revoke API keys. */
import type { Command } from 'commander';
import { z } from 'zod';
import { createdKeyViewSchema, keyViewSchema, roleSchema } from '../shapes/access.ts';
import { type CommandContext, type HubOptions, hubOf, withHubOptions } from './command-context.ts';
import { choiceOption } from './command-options.ts';

/** Adds the commands below `keys`. */
export function addKeyCommands(program: Command, context: CommandContext): void {
  const keys = program.command('keys').description('create, list and revoke API keys');
  withHubOptions(keys.command('create'), context)
    .description('create a key and show it once')
    .argument('<agent>', 'the agent that the key belongs to')
    .option('--namespace <name>', 'the namespace of the agent', 'default')
    .addOption(
      choiceOption('--role <role>', 'the role, which decides what the key may do', roleSchema.options).default('agent'),
    )
    .action(async (agentId: string, options: HubOptions & { namespace: string; role: string }) => {
      const json = { agentId, namespace: options.namespace, role: options.role };
      const created = await hubOf(options).request('/v1/keys', createdKeyViewSchema, { json, signal: context.signal });
      context.output.record(created, [
        `${created.keyId} for ${created.agentId} in ${created.namespace} (${created.role}), shown this once:`,
        '',
        `    ${created.key}`,
        '',
      ]);
    });
  withHubOptions(keys.command('list'), context)
    .description('list keys, without their secrets')
    .action(async (options: HubOptions) => {
      const found = await hubOf(options).list('/v1/keys', keyViewSchema, context.signal);
      context.output.table(
        found,
        [
          { title: 'KEY', cell: ({ keyId }) => keyId },
          { title: 'AGENT', cell: ({ agentId }) => agentId },
          { title: 'NAMESPACE', cell: ({ namespace }) => namespace },
          { title: 'ROLE', cell: ({ role }) => role },
          { title: 'CREATED', cell: ({ createdAt }) => createdAt },
          { title: 'REVOKED', cell: ({ revokedAt }) => revokedAt },
        ],
        'no keys',
      );
    });
  withHubOptions(keys.command('revoke'), context)
    .description('revoke a key, effective at once')
    .argument('<key-id>', 'the id of the key: 16 hexadecimal digits, as printed by hestia keys list')
    .action(async (keyId: string, options: HubOptions) => {
      const path = `/v1/keys/${encodeURIComponent(keyId)}`;
      await hubOf(options).request(path, z.undefined(), { method: 'DELETE', signal: context.signal });
      context.output.record({ keyId, revoked: true }, [`${keyId} is revoked`]);
    });
}
