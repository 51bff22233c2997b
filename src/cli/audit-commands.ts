/** `hestia audit`: list events, verify, export, rotate the key, start a new trail. */
import type { Command } from 'commander';
import { setAsideTrail } from '../domain/data-offline.ts';
import { addEventsCommand } from './audit-events-command.ts';
import { addRotateKeyCommand } from './audit-key-command.ts';
import { addProofCommands } from './audit-proof-commands.ts';
import { addVerifyCommand } from './audit-verify-command.ts';
import { type CommandContext, type HubOptions, hubOf, withHubOptions } from './command-context.ts';
import { CommandError, exitCodes } from './command-error.ts';
import { choiceOption } from './command-options.ts';

/** Adds the commands below `audit`. */
export function addAuditCommands(program: Command, context: CommandContext): void {
  const audit = program.command('audit').description('list, verify, prove and export the audit trail');
  addEventsCommand(audit, context);
  addVerifyCommand(audit, context);
  addProofCommands(audit, context);
  addRotateKeyCommand(audit, context);
  withHubOptions(audit.command('export'), context)
    .description('print the trail as NDJSON, oldest first')
    .addOption(
      choiceOption('--format <format>', 'ndjson: records with checkpoints; ocsf: OCSF events', [
        'ndjson',
        'ocsf',
      ]).default('ndjson'),
    )
    .action(async ({ format, ...options }: HubOptions & { format: string }) => {
      const path = `/v1/audit/export?format=${format}`;
      for await (const text of hubOf(options).stream(path, context.signal)) context.output.raw(text);
    });
  addStartNewCommand(audit, context);
}

function addStartNewCommand(audit: Command, { defaults, output }: CommandContext): void {
  audit
    .command('start-new')
    .description('set the journal, its head and its signing keys aside, so that a stopped hub starts a new trail')
    .option('--data <folder>', 'the data directory of the hub', defaults.dataDirectory)
    .option(
      '--head-file <file>',
      'the head file; audit.headFile of the configuration (default: audit.head in <folder>)',
    )
    .action(async ({ data, headFile = `${data}/audit.head` }: { data: string; headFile?: string }) => {
      const aside = await setAsideTrail({ dataDirectory: data, headFile, now: Date.now() });
      if (aside.moved.length === 0) throw new CommandError(exitCodes.failed, `there is no audit trail in ${data}`);
      output.record(aside, [
        `moved to ${aside.folder}:`,
        ...aside.moved.map((file) => `  ${file}`),
        'The next start creates a new key and a new trail. Keep what was moved: it is the evidence.',
      ]);
    });
}
