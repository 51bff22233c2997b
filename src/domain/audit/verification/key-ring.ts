/** The keys that a verification trusts: the reader's, and those that a signed rotation names. */
import { createPublicKey, type KeyObject } from 'node:crypto';
import { z } from 'zod';
import { NoteError, type NoteSignature, type NoteVerifier, verifierOf, vkeyOf } from '../../../journal/signed-note.ts';
import { parsedJson } from '../../../shapes/json.ts';

/** A key that the reader trusts, for a log of this origin. @throws NoteError where the key is of another log */
export type TrustedKey = (origin: string) => NoteVerifier;

/**
 * Reads a key: a verifier key (C2SP signed-note), or an Ed25519 public key as PEM, whose name is the origin of the log.
 * @throws Error where the text is neither
 */
export function trustedKey(text: string): TrustedKey {
  if (text.includes('-----BEGIN')) return pemKey(createPublicKey(text));
  const verifier = verifierOf(text.trim());
  return (origin) => {
    if (verifier.name !== origin) throw new NoteError(`the key is of the log ${verifier.name}`);
    return verifier;
  };
}

function pemKey(publicKey: KeyObject): TrustedKey {
  vkeyOf('any', publicKey);
  return (origin) => verifierOf(vkeyOf(origin, publicKey));
}

/** The event of a record that names a key which signs from now on, and the key that signed before. */
export const rotationEvent = 'AUDIT_KEY_ROTATED';

const rotationSchema = z.object({ fields: z.object({ vkey: z.string(), previous_vkey: z.string() }) });

/** The verifier keys that the record of a rotation names, the new one first; none where the line is not such a record. */
export function rotatedKeys(line: string): string[] {
  const parsed = rotationSchema.safeParse(parsedJson(line));
  return parsed.success ? [parsed.data.fields.vkey, parsed.data.fields.previous_vkey] : [];
}

/** A note whose signatures are not verified yet. */
export interface ParsedNote {
  text: string;
  signatures: readonly NoteSignature[];
}

/** The keys that a verification trusts at its present place. */
export interface KeyRing {
  vkeys(): string[];
  /** Reports who signed a note: a trusted key, only unknown keys, or nobody, because a signature of a trusted key is not valid. */
  signerOf(note: ParsedNote): 'trusted' | 'unknown' | 'invalid';
  /** Reads the keys that a rotation record names. They are trusted after the next {@link cover}. */
  announce(line: string): void;
  /** Trusts the keys that were named so far. Call it after a checkpoint of a trusted key, which covers all records before it. */
  cover(): void;
}

/** Creates a ring of these keys. */
export function createKeyRing(trusted: readonly NoteVerifier[]): KeyRing {
  const verifiers = [...trusted];
  let announced: NoteVerifier[] = [];
  return {
    vkeys: () => verifiers.map(({ vkey }) => vkey),
    signerOf: ({ text, signatures }) => {
      let isTrusted = false;
      for (const { name, keyId, signature } of signatures) {
        const verifier = verifiers.find((known) => known.name === name && known.keyId === keyId);
        if (verifier === undefined) continue;
        if (!verifier.verify(text, signature)) return 'invalid';
        isTrusted = true;
      }
      return isTrusted ? 'trusted' : 'unknown';
    },
    announce: (line) => {
      announced.push(...rotatedKeys(line).flatMap(readVerifier));
    },
    cover: () => {
      for (const verifier of announced)
        if (!verifiers.some(({ vkey }) => vkey === verifier.vkey)) verifiers.push(verifier);
      announced = [];
    },
  };
}

/** A verifier key of a record; none where the text is not one. */
function readVerifier(vkey: string): NoteVerifier[] {
  try {
    return [verifierOf(vkey)];
  } catch (error) {
    if (error instanceof NoteError) return [];
    throw error;
  }
}
