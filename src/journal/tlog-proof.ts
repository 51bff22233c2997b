/**
 * Proofs of inclusion as text (C2SP tlog-proof): index, audit path and signed checkpoint.
 * A proof is verified offline, against the verifier keys that the reader trusts.
 */
import { type OpenedCheckpoint, openCheckpoint } from './checkpoint.ts';
import { holdsInclusion } from './merkle-proof.ts';
import { hashBytes } from './merkle-tree.ts';
import { decodeBase64, NoteError, type NoteVerifier } from './signed-note.ts';

/** A proof. */
export interface TlogProof {
  /** The index of the record, from 0. */
  index: number;
  /** The audit path of RFC 6962, section 2.1.1: from the leaf's sibling to the child of the root. */
  path: readonly Buffer[];
  /** The signed checkpoint, verbatim. */
  checkpoint: string;
  /** Data for the application, which nothing proves. */
  extra?: Buffer;
}

const header = 'c2sp.org/tlog-proof@v1';
const indexPattern = /^index (?<index>0|[1-9]\d*)$/;
const extraPrefix = 'extra ';
/** The longest path: a tree of 2^63 leaves. */
const pathLengthMax = 63;

/** Writes a proof. */
export function formatTlogProof({ index, path, checkpoint, extra }: TlogProof): string {
  const extraLine = extra === undefined ? [] : [`${extraPrefix}${extra.toString('base64')}`];
  const lines = [header, ...extraLine, `index ${index}`, ...path.map((node) => node.toString('base64'))];
  return `${lines.join('\n')}\n\n${checkpoint}`;
}

/** Parses a proof without verifying it. @throws NoteError where the text is not a proof */
export function parseTlogProof(text: string): TlogProof {
  const split = text.indexOf('\n\n');
  const lines = text.slice(0, Math.max(split, 0)).split('\n');
  if (lines.shift() !== header) throw new NoteError('the text is not a proof');
  const extraLine = lines[0]?.startsWith(extraPrefix) ? lines.shift() : undefined;
  const extra = extraLine === undefined ? undefined : decodeBase64(extraLine.slice(extraPrefix.length));
  const index = Number(indexPattern.exec(lines.shift() ?? '')?.groups?.index ?? Number.NaN);
  const path = lines
    .map(decodeBase64)
    .filter((node) => node?.length === hashBytes)
    .filter((node) => node !== undefined);
  const isValid = Number.isSafeInteger(index) && path.length === lines.length && lines.length <= pathLengthMax;
  if (!isValid || (extraLine !== undefined && extra === undefined)) throw new NoteError('the proof is not valid');
  return { index, path, checkpoint: text.slice(split + 2), ...(extra !== undefined && { extra }) };
}

/**
 * Verifies that a proof leads from a leaf to a signed checkpoint of the log.
 * @returns the checkpoint
 * @throws NoteError where it does not, or where the checkpoint does not verify
 */
export function verifyTlogProof(
  text: string,
  { leaf, origin, verifiers }: { leaf: Buffer; origin: string; verifiers: readonly NoteVerifier[] },
): OpenedCheckpoint {
  const { index, path, checkpoint } = parseTlogProof(text);
  const opened = openCheckpoint(checkpoint, { origin, verifiers });
  if (!holdsInclusion({ leaf, index, size: opened.size, path, root: opened.root }))
    throw new NoteError('the proof does not lead from the record to the root of the checkpoint');
  return opened;
}
