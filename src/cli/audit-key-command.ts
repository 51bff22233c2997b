/** `hestia audit rotate-key`: replaces the key that signs the checkpoints of the audit trail. */
import type { Command } from 'commander';
import { auditKeyRotationSchema } from '../shapes/audit-log/key-rotation.ts';
import { type CommandContext, type HubOptions, hubOf, withHubOptions } from './command-context.ts';

/** Adds the command below `audit`. */
export function addRotateKeyCommand(audit: Command, context: CommandContext): void {
  withHubOptions(audit.command('rotate-key'), context)
    .description('replace the key that signs checkpoints; the old key signs beside it for audit.keyOverlapDays')
    .action(async (options: HubOptions) => {
      const request = { method: 'POST', signal: context.signal } as const;
      const rotated = await hubOf(options).request('/v1/audit/key/rotation', auditKeyRotationSchema, request);
      context.output.record(rotated, [
        `checkpoints are signed with ${rotated.vkey}`,
        `and until ${rotated.signs_until} with ${rotated.previous_vkey} too`,
      ]);
    });
}
