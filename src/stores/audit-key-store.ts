/**
 * The audit trail's two secret keys, for signing checkpoints and for content digests.
 * They are files in the data directory; the signing key is an Ed25519 key. Only the owner of the files can read them. They are created at the first start and never
 * replaced silently.
 */
import { createPrivateKey, generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { restrictFile, writePrivateFile } from '../flow/private-file.ts';
import { systemErrorCode } from '../flow/system-error.ts';

/** The two secret keys. */
export interface AuditKeys {
  /** An Ed25519 private key. */
  signingKey: KeyObject;
  /** 32 bytes. */
  digestKey: Buffer;
}

/** A key file that is missing or unusable. The message is one line and never contains the content of the file. */
export class AuditKeyError extends Error {
  override readonly name = 'AuditKeyError';
}

/** The names of the key files in the data directory. */
const names = { signing: 'audit-signing.key', digest: 'audit-digest.key' } as const;

/**
 * Reads the keys. Creates missing ones if `mayCreate` is set, that is, while nothing was signed with them. The caller must hold
 * the lock of the data directory.
 * @throws AuditKeyError if a file cannot be read or written, does not hold such a key, or is missing and may not be created
 */
export function loadAuditKeys({ directory, mayCreate }: { directory: string; mayCreate: boolean }): AuditKeys {
  const create = () => {
    const key = newSigningKey();
    storeSigningKey(directory, key);
    return key;
  };
  const signingKey = findSigningKey(directory) ?? (mayCreate ? create() : undefined);
  if (signingKey === undefined) throw missing(join(directory, names.signing));
  return { signingKey, digestKey: loadDigestKey({ directory, mayCreate }) };
}

/** Reads the signing key; undefined if its file is missing. @throws AuditKeyError if the file does not hold such a key */
export function findSigningKey(directory: string): KeyObject | undefined {
  const file = join(directory, names.signing);
  const text = readKey(file);
  return text === undefined ? undefined : parsedKey(file, () => parsedSigningKey(text));
}

/** Creates a signing key, which is not stored yet. */
export function newSigningKey(): KeyObject {
  return generateKeyPairSync('ed25519').privateKey;
}

/** Stores a new signing key. @throws AuditKeyError if the file cannot be written */
export function storeSigningKey(directory: string, key: KeyObject): void {
  createKeyFile(join(directory, names.signing), key.export({ type: 'pkcs8', format: 'pem' }).toString());
}

/**
 * Reads the digest key. Creates a missing one if `mayCreate` is set.
 * @throws AuditKeyError as {@link loadAuditKeys}
 */
export function loadDigestKey({ directory, mayCreate }: { directory: string; mayCreate: boolean }): Buffer {
  const file = join(directory, names.digest);
  const create = () => createKeyFile(file, `${randomBytes(32).toString('hex')}\n`);
  const text = readKey(file) ?? (mayCreate ? create() : undefined);
  if (text === undefined) throw missing(file);
  return parsedKey(file, () => parsedDigestKey(text));
}

function missing(file: string): AuditKeyError {
  return new AuditKeyError(`${file}: the file is missing, but the audit trail was created with it; restore it`);
}

function parsedKey<Key>(file: string, parse: () => Key): Key {
  try {
    return parse();
  } catch (cause) {
    throw new AuditKeyError(`${file}: the file does not hold a valid key`, { cause });
  }
}

function parsedSigningKey(text: string): KeyObject {
  const key = createPrivateKey(text);
  if (key.asymmetricKeyType !== 'ed25519') throw new Error('not an Ed25519 key');
  return key;
}

function parsedDigestKey(text: string): Buffer {
  if (!/^[0-9a-f]{64}\n?$/.test(text)) throw new Error('not 32 bytes in hexadecimal');
  return Buffer.from(text.trim(), 'hex');
}

function readKey(file: string): string | undefined {
  try {
    restrictFile(file);
    return readFileSync(file, 'utf8');
  } catch (cause) {
    if (systemErrorCode(cause) === 'ENOENT') return undefined;
    const isLink = systemErrorCode(cause) === undefined && cause instanceof Error;
    throw new AuditKeyError(isLink ? cause.message : `${file}: the file cannot be read`, { cause });
  }
}

function createKeyFile(file: string, text: string): string {
  try {
    writePrivateFile(file, text);
    return text;
  } catch (cause) {
    throw new AuditKeyError(`${file}: the file cannot be written`, { cause });
  }
}
