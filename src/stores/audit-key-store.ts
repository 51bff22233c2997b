/**
 * The two secrets of the audit trail, in files of the data directory that only their owner can read: the Ed25519 key that signs
 * checkpoints and the key of content digests. Made at the first start; never replaced silently.
 */
import { createPrivateKey, generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { join } from 'node:path';

/** The secrets. */
export interface AuditKeys {
  /** An Ed25519 private key. */
  signingKey: KeyObject;
  /** 32 bytes. */
  digestKey: Buffer;
}

/** A key file that is missing or of no use; the message is one line and never shows what the file holds. */
export class AuditKeyError extends Error {
  override readonly name = 'AuditKeyError';
}

/**
 * Reads the keys, or makes them where the trail holds no checkpoint yet. The caller holds the lock of the data directory.
 * @throws AuditKeyError where a file cannot be read or written, holds no such key, or is gone while checkpoints exist
 */
export function loadAuditKeys({ directory, mayCreate }: { directory: string; mayCreate: boolean }): AuditKeys {
  const load = <Key>(name: string, { make, parse }: { make: () => string; parse: (text: string) => Key }): Key => {
    const file = join(directory, name);
    const text = readKey(file) ?? (mayCreate ? created(file, make()) : undefined);
    if (text === undefined)
      throw new AuditKeyError(`${file}: the file is gone, and the audit trail was begun with it; put it back`);
    try {
      return parse(text);
    } catch (cause) {
      throw new AuditKeyError(`${file}: the file does not hold the key it should`, { cause });
    }
  };
  return {
    signingKey: load('audit-signing.key', { make: newSigningKey, parse: parsedSigningKey }),
    digestKey: load('audit-digest.key', { make: () => `${randomBytes(32).toString('hex')}\n`, parse: parsedDigestKey }),
  };
}

function newSigningKey(): string {
  return generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
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
    return readFileSync(file, 'utf8');
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return undefined;
    throw new AuditKeyError(`${file}: the file cannot be read`, { cause });
  }
}

/** Written beside its place and moved there once it is on disk, so that a crash leaves the whole key or none. */
function created(file: string, text: string): string {
  try {
    const draft = `${file}.new`;
    const descriptor = openSync(draft, 'w', 0o600);
    writeSync(descriptor, text);
    fsyncSync(descriptor);
    closeSync(descriptor);
    renameSync(draft, file);
    return text;
  } catch (cause) {
    throw new AuditKeyError(`${file}: the file cannot be written`, { cause });
  }
}
