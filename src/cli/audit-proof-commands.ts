/** `hestia audit prove` and `verify-proof`: proofs that a checkpoint covers a record. */
import { writeFileSync } from 'node:fs';
import type { Command } from 'commander';
import { checkInclusion } from '../domain/data-offline.ts';
import { systemErrorCode } from '../flow/system-error.ts';
import { auditInclusionProofSchema } from '../shapes/audit-log/proof.ts';
import { readPublicKeys, readText } from './audit-input.ts';
import { type CommandContext, type HubOptions, hubOf, withHubOptions } from './command-context.ts';
import { CommandError, exitCodes } from './command-error.ts';
import { wholeNumber } from './command-options.ts';

interface ProveOptions extends HubOptions {
  publicKey: string;
  output?: string;
}

/** Adds the two commands. */
export function addProofCommands(audit: Command, context: CommandContext): void {
  addProveCommand(audit, context);
  addVerifyProofCommand(audit, context);
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
      const checked = proven(proof, { seq, keys });
      if (output !== undefined) {
        // The leaf is the hash of these bytes, so no newline is added.
        write('--output', `${output}.json`, proof.line);
        write('--output', `${output}.tlog-proof`, proof.proof);
      }
      printProven(proof, checked, context);
    });
}

function addVerifyProofCommand(audit: Command, context: CommandContext): void {
  audit
    .command('verify-proof')
    .description('verify a proof that was written to files, offline')
    .argument('<record>', 'the file with the line of the record')
    .argument('<proof>', 'the file with the proof (C2SP tlog-proof)')
    .requiredOption('--public-key <file>', 'the public key that the checkpoint must verify against')
    .action((record: string, proofFile: string, { publicKey }: { publicKey: string }) => {
      const keys = readPublicKeys(publicKey);
      // A line that was copied out of the journal ends with a newline, which is not part of the record.
      const line = readText('<record>', record).replace(/\n$/, '');
      const proof = readText('<proof>', proofFile);
      const checked = proven({ line, proof }, { keys });
      printProven({ seq: checked.seq, line, proof }, checked, context);
    });
}

/** A record that is proven: its number, and the size of the checkpoint. */
type Proven = Exclude<ReturnType<typeof checkInclusion>, { reason: string }>;

function proven(...inclusion: Parameters<typeof checkInclusion>): Proven {
  const checked = checkInclusion(...inclusion);
  if ('reason' in checked) throw new CommandError(exitCodes.failed, `the proof does not hold: ${checked.reason}`);
  return checked;
}

function printProven(
  proof: { seq: number; line: string; proof: string },
  { seq, size }: Proven,
  { output }: CommandContext,
): void {
  output.record(proof, [
    `${output.tone('good', 'proven')}: the checkpoint over ${size} records covers record ${seq}`,
    proof.line,
  ]);
}

function write(option: string, file: string, text: string): void {
  try {
    writeFileSync(file, text);
  } catch (cause) {
    const code = systemErrorCode(cause) ?? 'unknown reason';
    throw new CommandError(exitCodes.usage, `${option}: cannot write ${file} (${code})`, { cause });
  }
}
