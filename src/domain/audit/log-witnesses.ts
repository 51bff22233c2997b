/**
 * Submits checkpoints to witnesses in the background (C2SP tlog-witness), and keeps their cosignatures.
 * A witness that is unavailable changes nothing but a metric; the newest checkpoint is submitted again with backoff.
 */
import { type BackgroundRetry, createBackgroundRetry } from '../../flow/background-retry.ts';
import { checkpointText, parseCheckpoint } from '../../journal/checkpoint.ts';
import { NoteError, type NoteVerifier, parseNote, verifierOf } from '../../journal/signed-note.ts';
import type { LogTree } from '../../journal/tree.ts';
import { addCheckpoint, verifyCosignatures, WitnessError } from '../../journal/witness-client.ts';
import type { Log } from '../../telemetry/log.ts';
import type { Metrics, WitnessFailure } from '../../telemetry/metrics.ts';
import type { LogCheckpointer, SignedLogCheckpoint } from './log-checkpointer.ts';

/** The submissions, which begin with the newest checkpoint unless a witness has cosigned it. Disposing ends them. */
export type LogWitnesses = AsyncDisposable;

/** Dependencies of the submissions. */
export interface LogWitnessesDeps {
  /** The prefix of each witness's URLs and its verifier key. */
  witnesses: readonly { url: string; vkey: string }[];
  checkpointer: Pick<LogCheckpointer, 'newest' | 'onSigned' | 'addCosignatures'>;
  tree: Pick<LogTree, 'consistencyProof'>;
  metrics: Pick<Metrics, 'witnessSubmission'>;
  log: Log;
}

/** One witness, and what it is known to have cosigned. */
interface Witness {
  url: string;
  verifier: NoteVerifier;
  /** The size that it cosigned last; 0 before it reported one. */
  cosignedSize: number;
  /** The newest checkpoint, while it is not cosigned. */
  pending: SignedLogCheckpoint | undefined;
}

/** A submission that failed, with its class for the metric. */
class SubmissionError extends Error {
  override readonly name = 'SubmissionError';
  readonly type: WitnessFailure;

  constructor(type: WitnessFailure, message: string, options?: ErrorOptions) {
    super(message, options);
    this.type = type;
  }
}

/** Creates the submissions. @throws NoteError where a verifier key is not valid */
export function createLogWitnesses(deps: LogWitnessesDeps): LogWitnesses {
  const ending = new AbortController();
  const submissions = deps.witnesses.map(({ url, vkey }) =>
    createSubmission(deps, { url, verifier: verifierOf(vkey), cosignedSize: 0, pending: undefined }, ending.signal),
  );
  deps.checkpointer.onSigned((signed) => {
    for (const submission of submissions) submission.submit(signed);
  });
  submitNewest(deps.checkpointer, submissions);
  return {
    [Symbol.asyncDispose]: async () => {
      ending.abort();
      await Promise.all(submissions.map(({ retry }) => retry[Symbol.asyncDispose]()));
    },
  };
}

/** The submissions to one witness. */
interface Submission {
  verifier: NoteVerifier;
  retry: BackgroundRetry;
  submit: (signed: SignedLogCheckpoint) => void;
}

/** Submits the last checkpoint of an earlier process, which signs it when it stops and does not wait for witnesses. */
function submitNewest({ newest }: Pick<LogCheckpointer, 'newest'>, submissions: readonly Submission[]): void {
  const signed = newest();
  if (signed === undefined || signed.size === 0) return;
  const { text, signatures } = parseNote(signed.note);
  const isBy = ({ name, keyId }: NoteVerifier) =>
    signatures.some((signature) => signature.name === name && signature.keyId === keyId);
  for (const { verifier, submit } of submissions) if (!isBy(verifier)) submit({ ...parseCheckpoint(text), ...signed });
}

function createSubmission(deps: LogWitnessesDeps, witness: Witness, signal: AbortSignal): Submission {
  const { log, metrics } = deps;
  const { name } = witness.verifier;
  metrics.witnessSubmission(name, 'registered');
  const retry = createBackgroundRetry({
    isNeeded: () => witness.pending !== undefined,
    isReady: () => true,
    step: async () => {
      const { pending } = witness;
      if (pending === undefined) return;
      try {
        await submit(deps, { witness, signed: pending, signal });
        metrics.witnessSubmission(name, 'cosigned');
        if (witness.pending === pending) witness.pending = undefined;
      } catch (error) {
        metrics.witnessSubmission(name, error instanceof SubmissionError ? error.type : 'invalid');
        throw error;
      }
    },
    onFailing: (error) => log.warn('A witness does not cosign checkpoints', { witness: name }, { error }),
    onRecovered: () => log.info('A witness cosigns checkpoints again', { witness: name }),
  });
  return {
    verifier: witness.verifier,
    retry,
    submit: (signed) => {
      witness.pending = signed;
      retry.soon();
    },
  };
}

/** The most answers with another size for one submission; another process of the log may submit at the same time. */
const conflictsMax = 3;

async function submit(
  { checkpointer, tree }: LogWitnessesDeps,
  { witness, signed, signal }: { witness: Witness; signed: SignedLogCheckpoint; signal: AbortSignal },
): Promise<void> {
  for (let attempt = 0; attempt < conflictsMax; attempt += 1) {
    const oldSize = witness.cosignedSize;
    const proof = await tree.consistencyProof(oldSize, signed.size);
    const answer = await translated(addCheckpoint({ url: witness.url, signal }, { oldSize, proof, note: signed.note }));
    if (answer.outcome === 'refused')
      throw new SubmissionError('refused', `the witness refused the checkpoint with status ${answer.status}`);
    if (answer.outcome === 'cosigned') {
      const text = checkpointText(signed);
      const found = verified(() => verifyCosignatures(answer.lines, { text, verifier: witness.verifier }));
      witness.cosignedSize = signed.size;
      return checkpointer.addCosignatures(
        signed,
        found.map(({ line }) => line),
      );
    }
    if (answer.size > signed.size)
      throw new SubmissionError(
        'ahead',
        `the witness cosigned ${answer.size} records, and the log has ${signed.size}: another log has its name and key, or its end was lost`,
      );
    witness.cosignedSize = answer.size;
  }
  throw new SubmissionError('refused', 'the witness reported one size after another');
}

async function translated<Answer>(answer: Promise<Answer>): Promise<Answer> {
  try {
    return await answer;
  } catch (cause) {
    if (cause instanceof WitnessError) throw new SubmissionError('unreachable', cause.message, { cause });
    throw cause;
  }
}

function verified<Value>(verify: () => Value): Value {
  try {
    return verify();
  } catch (cause) {
    if (!(cause instanceof WitnessError) && !(cause instanceof NoteError)) throw cause;
    throw new SubmissionError('invalid', cause.message, { cause });
  }
}
