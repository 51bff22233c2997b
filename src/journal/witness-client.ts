/**
 * The client of a witness (C2SP tlog-witness): submits a checkpoint and reads the cosignatures.
 * A witness signs only what it verified to extend the tree that it saw before.
 */
import { type NoteSignature, type NoteVerifier, parseSignatures } from './signed-note.ts';

/** A submission: the signed checkpoint, and the proof that it extends the size that the witness cosigned last. */
export interface WitnessSubmission {
  /** The size that the witness cosigned last; 0 for none. */
  oldSize: number;
  /** PROOF(oldSize, D[size]) of RFC 6962, section 2.1.2; empty for the sizes 0 and `size`. */
  proof: readonly Buffer[];
  /** The note, with the signatures of the log. */
  note: string;
}

/** What a witness answers. `conflict`: it cosigned another size last. `refused`: it does not know or accept the log. */
export type WitnessAnswer =
  | { outcome: 'cosigned'; lines: string }
  | { outcome: 'conflict'; size: number }
  | { outcome: 'refused'; status: number };

/** A witness that did not answer as the protocol demands, or not at all. */
export class WitnessError extends Error {
  override readonly name = 'WitnessError';
}

const timeoutMs = 10_000;
/** The longest body that is read; one cosignature has about 150 characters. */
const answerBytesMax = 65_536;

/** The body of a submission. */
function submissionBody({ oldSize, proof, note }: WitnessSubmission): string {
  return `old ${oldSize}\n${proof.map((node) => `${node.toString('base64')}\n`).join('')}\n${note}`;
}

/** Submits a checkpoint; may be repeated. @throws WitnessError */
export async function addCheckpoint(
  { url, signal }: { url: string; signal: AbortSignal },
  submission: WitnessSubmission,
): Promise<WitnessAnswer> {
  const { status, text } = await post(`${url.replace(/\/+$/, '')}/add-checkpoint`, {
    body: submissionBody(submission),
    signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
  });
  if (status === 200) return { outcome: 'cosigned', lines: text };
  if (status !== 409) return { outcome: 'refused', status };
  const size = Number(text.trim());
  if (!/^\d+\n?$/.test(text) || !Number.isSafeInteger(size))
    throw new WitnessError('the witness reported a conflict without the size that it cosigned last');
  return { outcome: 'conflict', size };
}

async function post(url: string, { body, signal }: { body: string; signal: AbortSignal }) {
  try {
    const response = await fetch(url, { method: 'POST', body, signal, redirect: 'error' });
    return { status: response.status, text: await readText(response) };
  } catch (cause) {
    throw new WitnessError('the witness did not answer', { cause });
  }
}

async function readText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    length += chunk.length;
    if (length > answerBytesMax) throw new Error(`the answer has more than ${answerBytesMax} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/**
 * The cosignatures of this witness in its answer, verified. Signatures of other keys are left out.
 * @throws WitnessError where there is none, or one is not valid; NoteError where the answer has no signature lines
 */
export function verifyCosignatures(
  lines: string,
  { text, verifier }: { text: string; verifier: NoteVerifier },
): NoteSignature[] {
  const own = parseSignatures(lines).filter(({ name, keyId }) => name === verifier.name && keyId === verifier.keyId);
  if (own.length === 0) throw new WitnessError('the answer has no cosignature of the configured key');
  if (!own.every(({ signature }) => verifier.verify(text, signature)))
    throw new WitnessError('the cosignature of the witness is not valid');
  return own;
}
