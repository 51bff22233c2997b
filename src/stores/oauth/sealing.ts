/** Encryption of stored secrets with AES-256-GCM, and the file of the key. */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { closeSync, fchmodSync, fsyncSync, openSync, readFileSync, writeSync } from 'node:fs';
import { systemErrorCode } from '../../flow/system-error.ts';

/** Encrypts and decrypts texts. */
export interface Sealing {
  /** Encrypts a text. `context` is authenticated with it: what is sealed in one place cannot be opened in another. */
  seal(text: string, context: string): Uint8Array;
  /** Decrypts a text; undefined if it was sealed with another key or in another context, or was altered. */
  open(sealed: Uint8Array, context: string): string | undefined;
}

const algorithm = 'aes-256-gcm';
const keyBytes = 32;
/** NIST SP 800-38D, section 8.2: 96 random bits for each message. */
const nonceBytes = 12;
const tagBytes = 16;

/** Creates a sealing with this key of 32 bytes. */
export function createSealing(key: Uint8Array): Sealing {
  return {
    seal: (text, context) => {
      const nonce = randomBytes(nonceBytes);
      const cipher = createCipheriv(algorithm, key, nonce, { authTagLength: tagBytes });
      cipher.setAAD(Buffer.from(context));
      const encrypted = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
      return Buffer.concat([nonce, cipher.getAuthTag(), encrypted]);
    },
    open: (sealed, context) => {
      try {
        const nonce = sealed.subarray(0, nonceBytes);
        const decipher = createDecipheriv(algorithm, key, nonce, { authTagLength: tagBytes });
        decipher.setAAD(Buffer.from(context));
        decipher.setAuthTag(sealed.subarray(nonceBytes, nonceBytes + tagBytes));
        const text = [decipher.update(sealed.subarray(nonceBytes + tagBytes)), decipher.final()];
        return Buffer.concat(text).toString('utf8');
      } catch {
        return undefined;
      }
    },
  };
}

/** A key as text: 64 hexadecimal digits. */
const keyPattern = /^[0-9a-f]{64}$/i;

/** The key that a text holds; undefined if it is none. */
export function sealingKey(text: string): Uint8Array | undefined {
  return keyPattern.test(text.trim()) ? Buffer.from(text.trim(), 'hex') : undefined;
}

/**
 * Reads the key file, or creates it with a random key that only its owner can read.
 * @throws Error with one line: the file and the reason
 */
export function loadSealingKey(file: string): Uint8Array {
  try {
    return readKey(file);
  } catch (error) {
    if (systemErrorCode(error) !== 'ENOENT') throw error;
  }
  createKey(file);
  return readKey(file);
}

function readKey(file: string): Uint8Array {
  const key = sealingKey(readFileSync(file, 'utf8'));
  if (key === undefined) throw new Error(`${file}: must be the key of stored logins, 64 hexadecimal digits`);
  return key;
}

function createKey(file: string): void {
  const descriptor = openSync(file, 'wx', 0o600);
  try {
    // The mode above is subject to the umask, which may only remove bits; this is not.
    fchmodSync(descriptor, 0o600);
    writeSync(descriptor, `${randomBytes(keyBytes).toString('hex')}\n`);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
