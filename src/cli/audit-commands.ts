/** `hestia audit`: verify and prove, export, rotate the key, start a new trail. */
import { writeFileSync } from 'node:fs';
import type { Command } from 'commander';
import { checkInclusion, setAsideTrail } from '../domain/audit-offline.ts';
import { systemErrorCode } from '../flow/system-error.ts';
import { auditInclusionProofSchema } from '../shapes/audit-log/proof.ts';
import { readPublicKeys } from './audit-input.ts';
import { addRotateKeyCommand } from './audit-key-command.ts';
import { addVerifyCommand } from './audit-verify-command.ts';
import { type CommandContext, type HubOptions, hubOf, withHubOptions } from './command-context.ts';
import { CommandError, exitCodes } from './command-error.ts';
import { choiceOption, wholeNumber } from './command-options.ts';

interface ProveOptions extends HubOptions {
  publicKey: string;
  output?: string;
}

/** Adds the commands below `audit`. */
export function addAuditCommands(program: Command, context: CommandContext): void {
  const audit = program.command('audit').description('verify, prove and export the audit trail');
  addVerifyCommand(audit, context);
  addProveCommand(audit, context);
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

function addProveCommand(audit: Command, context: CommandContext): void {
  withHubOptions(audit.command('prove'), context)
    .description('fetch the proof that a signed checkpoint covers a record, and verify it')
    .argument('<seq>', 'the sequence number of the record', wholeNumber(1, Number.MAX_SAFE_INTEGER))
    .requiredOption('--public-key <file>', 'the public key that the checkpoint must verify against')
    .option('--output <name>', 'write the record to <name>.json and the proof to <name>.tlog-proof (C2SP tlog-proof)')
    .action(async (seq: number, { publicKey, output, ...options }: ProveOptions) => {
      const keys = readPublicKeys(publicKey);
      const path = `/v1/audit/events/${seq}/proof`;
      const proof = await hubOf(options).request(path, auditInclusionProofSchema, { signal: context.signal });
      const checked = checkInclusion(proof, { seq, keys });
      if ('reason' in checked) throw new CommandError(exitCodes.failed, `the proof does not hold: ${checked.reason}`);
      if (output !== undefined) {
        // The leaf is the hash of these bytes, so no newline is added.
        write('--output', `${output}.json`, proof.line);
        write('--output', `${output}.tlog-proof`, proof.proof);
      }
      context.output.record(proof, [
        `${context.output.tone('good', 'proven')}: the checkpoint over ${checked.size} records covers record ${seq}`,
        proof.line,
      ]);
    });
}

function write(option: string, file: string, text: string): void {
  try {
    writeFileSync(file, text);
  } catch (cause) {
    const code = systemErrorCode(cause) ?? 'unknown reason';
    throw new CommandError(exitCodes.usage, `${option}: cannot write ${file} (${code})`, { cause });
  }
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
