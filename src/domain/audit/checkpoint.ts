/** Checkpoints of the audit trail: signed with Ed25519, parsed, and verified against a public key. */
import { createHash, createPublicKey, hash, type KeyObject, sign, verify } from 'node:crypto';
import canonicalize from 'canonicalize';
import {
  type AuditCheckpoint,
  type AuditKey,
  auditCheckpointSchema,
  checkpointType,
  type SignedCheckpoint,
} from '../../shapes/audit-checkpoint.ts';
import { parsedJson } from '../../shapes/json.ts';
import { noHash } from './chain.ts';

/** Signs checkpoints with an Ed25519 private key; `key` is the public half for verifiers. */
export interface CheckpointSigner {
  key: AuditKey;
  sign(unsigned: Omit<AuditCheckpoint, 'type' | 'key_id' | 'signature'>): SignedCheckpoint;
}

/** Creates the signer of a private key. @throws Error where it is not an Ed25519 key */
export function createCheckpointSigner(privateKey: KeyObject): CheckpointSigner {
  const publicKey = createPublicKey(privateKey);
  const key = auditKey(publicKey);
  return {
    key,
    sign: (unsigned) => {
      const content = { ...unsigned, type: checkpointType, key_id: key.key_id } as const;
      const signature = sign(null, signedBytes(content), privateKey).toString('hex');
      const checkpoint = { ...content, signature };
      return { checkpoint, body: canonicalize(checkpoint) ?? '' };
    },
  };
}

/** The public key in the form that the API returns. @throws Error where it is not an Ed25519 key */
export function auditKey(publicKey: KeyObject): AuditKey {
  if (publicKey.asymmetricKeyType !== 'ed25519') throw new Error('the key is not an Ed25519 key');
  const der = publicKey.export({ type: 'spki', format: 'der' });
  return {
    key_id: createHash('sha256').update(der).digest('hex'),
    algorithm: 'Ed25519',
    public_key: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
  };
}

/** The head of the chain of checkpoints: number and hash of the last one, and the last record it covers. */
export interface CheckpointHead {
  number: number;
  lastSeq: number;
  hash: string;
}

/** The head before the first checkpoint. */
export const noCheckpoint: CheckpointHead = { number: 0, lastSeq: 0, hash: noHash };

/** The head of the chain after this checkpoint; its hash is over the canonical bytes. */
export function checkpointHead({ checkpoint, body }: SignedCheckpoint): CheckpointHead {
  return { number: checkpoint.number, lastSeq: checkpoint.last_seq, hash: hash('sha256', body) };
}

/** Parses a checkpoint from canonical JSON; returns the reason where the text is not one. */
export function parseCheckpoint(body: string): AuditCheckpoint | { reason: string } {
  const parsed = auditCheckpointSchema.safeParse(parsedJson(body));
  if (!parsed.success) return { reason: 'it is not a valid checkpoint' };
  if (canonicalize(parsed.data) !== body) return { reason: 'its bytes are not the canonical form of its content' };
  return parsed.data;
}

/** Verifies the signature of a checkpoint; returns the reason where it does not verify, else `undefined`. */
export function signatureFault(checkpoint: AuditCheckpoint, { publicKey, keyId }: VerifyingKey): string | undefined {
  if (checkpoint.key_id !== keyId) return 'it names another key than the one it is verified with';
  const { signature, ...content } = checkpoint;
  const isValid = verify(null, signedBytes(content), publicKey, Buffer.from(signature, 'hex'));
  return isValid ? undefined : 'its signature is not valid';
}

/** A public key that verifies checkpoints. */
export interface VerifyingKey {
  publicKey: KeyObject;
  /** SHA-256 of the DER form of the key, in hexadecimal. */
  keyId: string;
}

/** Reads a public key from PEM. @throws Error where it is not an Ed25519 public key */
export function verifyingKey(pem: string): VerifyingKey {
  const publicKey = createPublicKey(pem);
  return { publicKey, keyId: auditKey(publicKey).key_id };
}

function signedBytes(content: Omit<AuditCheckpoint, 'signature'>): Buffer {
  return Buffer.from(canonicalize(content) ?? '', 'utf8');
}
