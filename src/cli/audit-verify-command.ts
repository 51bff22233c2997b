/** `hestia audit verify`: verifies the trail of a running hub, of an export, or of a journal's folder. */
import type { Command } from 'commander';
import {
  consistencyFault,
  openTrusted,
  type TrustedKey,
  verifyJournalFolder,
  verifyTrail,
} from '../domain/data-offline.ts';
import { systemErrorCode } from '../flow/system-error.ts';
import { auditConsistencyProofSchema } from '../shapes/audit-log/proof.ts';
import { type AuditVerdict, auditVerdictSchema, type TrailFault } from '../shapes/audit-log/verdict.ts';
import { fileLines, readCheckpoints, readPublicKeys } from './audit-input.ts';
import { type CommandContext, type HubOptions, hubOf, withHubOptions } from './command-context.ts';
import { CommandError, exitCodes } from './command-error.ts';
import type { HubClient } from './hub-client.ts';

interface VerifyOptions extends HubOptions {
  file?: string;
  journal?: string;
  publicKey?: string;
  checkpoint: string[];
  allowUnsignedTail?: boolean;
}

/** Adds the command. */
export function addVerifyCommand(audit: Command, context: CommandContext): void {
  withHubOptions(audit.command('verify'), context)
    .description('verify all records and checkpoints of a hub, or offline; fails if the trail does not hold')
    .option('--file <export>', 'an export file, verified offline without a hub')
    .option('--journal <folder>', 'the journal of a stopped hub, or a copy of it, verified offline')
    .option(
      '--public-key <file>',
      'the key that checkpoints must verify against: PEM, a verifier key, or the response of GET /v1/audit/key',
    )
    .option(
      '--checkpoint <json-or-file>',
      'checkpoints kept elsewhere, such as the head file or lines of the log; may be repeated',
      (source: string, before: string[]) => [...before, ...readCheckpoints(source)],
      [],
    )
    .option('--allow-unsigned-tail', 'accept records after the last checkpoint, which nothing proves')
    .action(async (options: VerifyOptions) => {
      const keys = options.publicKey === undefined ? [] : readPublicKeys(options.publicKey);
      const verdict = await verify(options, { keys, signal: context.signal });
      printVerdict(verdict, { hasKey: keys.length > 0, context });
    });
}

/** The keys of the reader; none if the trail's own are to be used. */
interface VerifyTrust {
  keys: readonly TrustedKey[];
  signal: AbortSignal;
}

async function verify(options: VerifyOptions, { keys, signal }: VerifyTrust): Promise<AuditVerdict> {
  const { file, journal, checkpoint: kept, allowUnsignedTail } = options;
  if (file !== undefined && journal !== undefined)
    throw new CommandError(exitCodes.usage, '--file and --journal: only one of them can be verified');
  const trust = { keys, kept, allowUnsignedTail };
  if (file !== undefined) return verifyTrail(fileLines(file, signal), trust);
  if (journal === undefined) return verifyHub(hubOf(options), { keys, kept, signal });
  if (keys.length === 0) throw new CommandError(exitCodes.usage, '--journal: needs --public-key');
  try {
    return await verifyJournalFolder(journal, trust);
  } catch (cause) {
    const code = systemErrorCode(cause);
    if (code === undefined) throw cause;
    throw new CommandError(exitCodes.usage, `--journal: cannot read ${journal} (${code})`, { cause });
  }
}

/**
 * Takes the verdict of the hub over its own trail, verifies its newest checkpoint, and for each checkpoint kept elsewhere the
 * proof that the trail only added to it.
 */
async function verifyHub(
  hub: HubClient,
  { keys, kept, signal }: VerifyTrust & { kept: readonly string[] },
): Promise<AuditVerdict> {
  if (kept.length > 0 && keys.length === 0)
    throw new CommandError(exitCodes.usage, '--checkpoint: needs --public-key, the key it was signed with');
  const verdict = await hub.request('/v1/audit/verify', auditVerdictSchema, { signal });
  if (!verdict.intact || keys.length === 0) return verdict;
  const broken = (firstBad: TrailFault) => ({ ...verdict, intact: false, firstBad });
  const newest = openTrusted(verdict.note ?? '', keys);
  if ('reason' in newest) return broken({ seq: 0, reason: `the hub signs with another key: ${newest.reason}` });
  for (const note of kept) {
    const fault = await keptFault(hub, { note, keys, signal, lastSeq: newest.size });
    if (fault !== undefined) return broken(fault);
  }
  return verdict;
}

async function keptFault(
  hub: HubClient,
  { note, keys, signal, lastSeq }: VerifyTrust & { note: string; lastSeq: number },
): Promise<TrailFault | undefined> {
  const kept = openTrusted(note, keys);
  if ('reason' in kept) return { seq: 0, reason: `a checkpoint kept elsewhere: ${kept.reason}` };
  const { size } = kept;
  const fault = (reason: string) => ({
    seq: size,
    checkpoint: size,
    reason: `a checkpoint over ${size} records was kept elsewhere: ${reason}`,
  });
  if (size > lastSeq)
    return fault(`the trail ends with record ${lastSeq}: its end was cut off, or an older copy was put back`);
  if (size === 0) return undefined;
  const answer = await hub.send(`/v1/audit/consistency?from=${size}`, { signal });
  const proof = auditConsistencyProofSchema.safeParse(answer.body);
  if (!proof.success) return fault(`the hub returned no proof for it (status ${answer.status})`);
  const reason = consistencyFault({ kept: note, proof: proof.data }, keys);
  return reason === undefined ? undefined : fault(reason);
}

function printVerdict(verdict: AuditVerdict, { hasKey, context }: { hasKey: boolean; context: CommandContext }): void {
  const { output } = context;
  const {
    intact,
    recordsChecked,
    checkpointsChecked,
    recordsUncovered,
    firstSeq,
    lastSeq,
    vkeys = [],
    firstBad,
  } = verdict;
  const range = firstSeq === undefined ? '' : `, ${firstSeq} to ${lastSeq}`;
  output.record(verdict, [
    `${intact ? output.tone('good', 'intact') : output.tone('bad', 'broken')}: ${recordsChecked} records and ${checkpointsChecked} checkpoints checked${range}`,
    ...(recordsUncovered > 0 ? [`${recordsUncovered} records follow the last checkpoint: nothing proves them`] : []),
    ...vkeys.map((vkey) => `key ${vkey}`),
    ...(hasKey || vkeys.length === 0 ? [] : ['named by the trail itself: compare it with a key from another source']),
  ]);
  if (!intact) throw new CommandError(exitCodes.failed, `the audit trail does not hold${placeOf(firstBad)}`);
}

function placeOf(fault: TrailFault | undefined): string {
  if (fault === undefined) return '';
  const { seq, lastSeq, checkpoint, line, file, reason } = fault;
  const place = [
    lastSeq === undefined || lastSeq === seq ? `record ${seq}` : `records ${seq} to ${lastSeq}`,
    ...(checkpoint === undefined ? [] : [`checkpoint over ${checkpoint}`]),
    ...(line === undefined ? [] : [`line ${line}`]),
    ...(file === undefined ? [] : [file]),
  ];
  return `: ${place.join(', ')}: ${reason}`;
}
