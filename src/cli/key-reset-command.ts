/** `hestia keys reset-operator`: replaces the operator's key of a stopped hub. */
import type { Command } from 'commander';
import { resetOperator } from '../domain/data-offline.ts';
import type { CommandContext } from './command-context.ts';

/** Adds the command below `keys`. */
export function addResetCommand(keys: Command, { defaults, output }: CommandContext): void {
  keys
    .command('reset-operator')
    .description('replace the lost key of the operator, in the data directory of a stopped hub; the old one ends')
    .option('--data <folder>', 'the data directory of the hub', defaults.dataDirectory)
    .action(async ({ data }: { data: string }) => {
      const reset = await resetOperator({ dataDirectory: data, now: Date.now() });
      output.record(reset, [
        `the operator's new key ${reset.keyId} is in ${reset.keyFile}`,
        reset.revokedKeyIds.length === 0 ? 'no earlier key was valid' : `revoked: ${reset.revokedKeyIds.join(', ')}`,
        'Both are recorded in the audit trail when the hub starts.',
      ]);
    });
}
