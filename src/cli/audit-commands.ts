/** `hestia audit`: verify and export the trail. */
import type { Command } from 'commander';
import { auditVerdictSchema } from '../shapes/audit.ts';
import { type CommandContext, type HubOptions, hubOf, withHubOptions } from './command-context.ts';
import { CommandError, exitCodes } from './command-error.ts';

/** Adds the commands below `audit`. */
export function addAuditCommands(program: Command, context: CommandContext): void {
  const audit = program.command('audit').description('verify and export the audit trail');
  withHubOptions(audit.command('verify'), context)
    .description('check the whole hash chain; fails where it does not hold')
    .action(async (options: HubOptions) => {
      const verdict = await hubOf(options).ask('/v1/audit/verify', auditVerdictSchema, { signal: context.signal });
      const { intact, recordsChecked, firstSeq, lastSeq, headHash, firstBad } = verdict;
      const { output } = context;
      const range = firstSeq === undefined ? '' : `, ${firstSeq} to ${lastSeq}`;
      output.record(verdict, [
        `${intact ? output.tone('good', 'intact') : output.tone('bad', 'broken')}: ${recordsChecked} records checked${range}`,
        ...(headHash === undefined ? [] : [`head ${headHash}`]),
      ]);
      if (intact) return;
      const where = firstBad === undefined ? '' : `: record ${firstBad.seq}: ${firstBad.reason}`;
      throw new CommandError(exitCodes.failed, `the audit trail does not hold${where}`);
    });
  withHubOptions(audit.command('export'), context)
    .description('print all records as NDJSON, oldest first')
    .action(async (options: HubOptions) => {
      for await (const text of hubOf(options).stream('/v1/audit/export', context.signal)) context.output.raw(text);
    });
}
