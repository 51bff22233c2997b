/** `hestia audit`: verify the trail of a hub or of an export, prove a record, export the trail. */
import canonicalize from 'canonicalize';
import type { Command } from 'commander';
import { consistencyFault, inclusionFault, type VerifyingKey, verifyTrail } from '../domain/audit-verification.ts';
import { type AuditVerdict, auditVerdictSchema } from '../shapes/audit.ts';
import {
  type AuditCheckpoint,
  auditConsistencyProofSchema,
  auditInclusionProofSchema,
} from '../shapes/audit-checkpoint.ts';
import { fileLines, readCheckpoints, readPublicKey } from './audit-input.ts';
import { addRotateKeyCommand } from './audit-key-command.ts';
import { type CommandContext, type HubOptions, hubOf, withHubOptions } from './command-context.ts';
import { CommandError, exitCodes } from './command-error.ts';
import { choiceOption, wholeNumber } from './command-options.ts';
import type { HubClient } from './hub-client.ts';

interface VerifyOptions extends HubOptions {
  file?: string;
  publicKey?: string;
  checkpoint: AuditCheckpoint[];
}

/** Adds the commands below `audit`. */
export function addAuditCommands(program: Command, context: CommandContext): void {
  const audit = program.command('audit').description('verify, prove and export the audit trail');
  addVerifyCommand(audit, context);
  addRotateKeyCommand(audit, context);
  withHubOptions(audit.command('prove'), context)
    .description('fetch the proof that a signed checkpoint covers a record, and verify it')
    .argument('<seq>', 'the sequence number of the record', wholeNumber(1, Number.MAX_SAFE_INTEGER))
    .requiredOption('--public-key <file>', 'the public key that the checkpoint must verify against')
    .action(async (seq: number, options: HubOptions & { publicKey: string }) => {
      const key = readPublicKey(options.publicKey);
      const path = `/v1/audit/events/${seq}/proof`;
      const proof = await hubOf(options).request(path, auditInclusionProofSchema, { signal: context.signal });
      const fault = proof.record.seq === seq ? inclusionFault(proof, key) : 'it is for another record';
      if (fault !== undefined) throw new CommandError(exitCodes.failed, `the proof does not hold: ${fault}`);
      context.output.record(proof, [
        `${context.output.tone('good', 'proven')}: checkpoint ${proof.checkpoint.number} covers record ${seq}, signed at ${proof.checkpoint.time}`,
      ]);
    });
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
}

function addVerifyCommand(audit: Command, context: CommandContext): void {
  withHubOptions(audit.command('verify'), context)
    .description('verify all records and checkpoints of a hub, or of an export offline; fails if the trail is broken')
    .option('--file <export>', 'an export file, verified offline without a hub')
    .option(
      '--public-key <file>',
      'the public key that checkpoints must verify against: PEM, or the response of GET /v1/audit/key',
    )
    .option(
      '--checkpoint <json-or-file>',
      'checkpoints stored outside the hub, such as log lines; may be repeated',
      (source: string, before: AuditCheckpoint[]) => [...before, ...readCheckpoints(source)],
      [],
    )
    .action(async (options: VerifyOptions) => {
      const publicKey = options.publicKey === undefined ? undefined : readPublicKey(options.publicKey);
      const verdict =
        options.file === undefined
          ? await verifyHub(hubOf(options), { publicKey, checkpoints: options.checkpoint, signal: context.signal })
          : await verifyTrail(fileLines(options.file, context.signal), { publicKey, checkpoints: options.checkpoint });
      printVerdict(verdict, publicKey, context);
    });
}

/** What the trail of a running hub is verified against. */
interface HubTrust {
  publicKey: VerifyingKey | undefined;
  checkpoints: readonly AuditCheckpoint[];
  signal: AbortSignal;
}

/** Checks the hub's verdict and key, and for each checkpoint stored outside the hub a proof that the trail only added to it. */
async function verifyHub(hub: HubClient, { publicKey, checkpoints, signal }: HubTrust): Promise<AuditVerdict> {
  const verdict = await hub.request('/v1/audit/verify', auditVerdictSchema, { signal });
  if (!verdict.intact) return verdict;
  const broken = (reason: string, checkpoint?: AuditCheckpoint) => ({
    ...verdict,
    intact: false,
    firstBad: { seq: checkpoint?.last_seq ?? 0, ...(checkpoint && { checkpoint: checkpoint.number }), reason },
  });
  if (publicKey !== undefined && verdict.keyId !== publicKey.keyId) return broken('the hub signs with another key');
  if (checkpoints.length > 0 && publicKey === undefined)
    throw new CommandError(exitCodes.usage, '--checkpoint: needs --public-key, the key it was signed with');
  for (const checkpoint of checkpoints) {
    const reason = publicKey && (await externalCheckpointFault(hub, { checkpoint, publicKey, signal }));
    if (reason !== undefined) return broken(reason, checkpoint);
  }
  return verdict;
}

async function externalCheckpointFault(
  hub: HubClient,
  { checkpoint, publicKey, signal }: { checkpoint: AuditCheckpoint; publicKey: VerifyingKey; signal: AbortSignal },
): Promise<string | undefined> {
  const answer = await hub.send(`/v1/audit/consistency?from=${checkpoint.number}`, { signal });
  if (answer.status === 404)
    return 'the hub does not have this checkpoint: the trail was truncated, or the checkpoint was pruned';
  const proof = auditConsistencyProofSchema.safeParse(answer.body);
  if (!proof.success) return `the hub returned no proof for it (status ${answer.status})`;
  if (canonicalize(proof.data.from) !== canonicalize(checkpoint))
    return 'it differs from the checkpoint of this number that was kept elsewhere';
  return consistencyFault(proof.data, publicKey);
}

function printVerdict(verdict: AuditVerdict, publicKey: VerifyingKey | undefined, { output }: CommandContext): void {
  const { intact, recordsChecked, checkpointsChecked, recordsUncovered, firstSeq, lastSeq, keyId, firstBad } = verdict;
  const range = firstSeq === undefined ? '' : `, ${firstSeq} to ${lastSeq}`;
  output.record(verdict, [
    `${intact ? output.tone('good', 'intact') : output.tone('bad', 'broken')}: ${recordsChecked} records and ${checkpointsChecked} checkpoints checked${range}`,
    ...(recordsUncovered > 0
      ? [`${recordsUncovered} records follow the last checkpoint: chained, not signed yet`]
      : []),
    ...(keyId === undefined
      ? []
      : [
          `key ${keyId}${publicKey === undefined ? ', named by the trail itself: compare it with a key from another source' : ''}`,
        ]),
  ]);
  if (intact) return;
  const checkpoint = firstBad?.checkpoint === undefined ? '' : `, checkpoint ${firstBad.checkpoint}`;
  const line = firstBad?.line === undefined ? '' : ` (line ${firstBad.line})`;
  const where = firstBad === undefined ? '' : `: record ${firstBad.seq}${checkpoint}${line}: ${firstBad.reason}`;
  throw new CommandError(exitCodes.failed, `the audit trail does not hold${where}`);
}
