/**
 * The Ed25519 keys that sign checkpoints: the current one, and those it replaced.
 * They are files in the data directory, readable by their owner only. A replaced key signs for a period beside its
 * successor, so that whoever trusts either of them can follow.
 */
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { restrictFile } from '../flow/private-file.ts';
import { systemErrorCode } from '../flow/system-error.ts';
import { isoTime } from '../shapes/time.ts';
import { replaceFile } from './replace-file.ts';
import { type NoteSigner, type NoteVerifier, noteSigner, verifierOf } from './signed-note.ts';

/** A key that was replaced: its verifier key, and until when it signs, in Unix milliseconds. */
export interface ReplacedKey {
  vkey: string;
  signsUntil: number;
}

/** What a rotation changes, before it does. */
export interface KeyRotation {
  vkey: string;
  previous: ReplacedKey;
}

/** The keys. */
export interface SigningKeys {
  /** The keys that sign now, the current one first. */
  signers(): readonly NoteSigner[];
  /** All keys whose files are there, also those that no longer sign. */
  verifiers(): readonly NoteVerifier[];
  /** The verifier key of the current key. */
  vkey(): string;
  /** The verifier keys of all keys whose files are there, also of one that an interrupted rotation is about to use. */
  ownVkeys(): readonly string[];
  /** The public half of the current key. */
  publicKey(): KeyObject;
  /** The keys that were replaced and still sign, the last one first. */
  replaced(): readonly ReplacedKey[];
  /** Whether a rotation was interrupted between its record and the replacement of the key. */
  isRotationPending(): boolean;
  /**
   * Replaces the current key by a new one. `record` is called before, and what it throws cancels the rotation. A rotation
   * that was interrupted is repeated with the same new key.
   * @returns what changed
   * @throws what `record` throws; Error of the file system
   */
  rotate(record: (rotation: KeyRotation) => Promise<void>): Promise<KeyRotation>;
  /** Deletes the keys that no longer sign. Called after a checkpoint that the current key signed. @throws Error of the file system */
  dropExpired(): void;
}

/** Dependencies of the keys. */
export interface SigningKeysDeps {
  /** The data directory. */
  directory: string;
  /** The name of the log, which is the name of its keys. */
  origin: string;
  /** The private key of `audit-signing.key`. */
  signingKey: KeyObject;
  /** How long a replaced key signs beside its successor. */
  overlapMs: number;
  /** In Unix milliseconds. */
  now: () => number;
}

/**
 * The most replaced keys that sign at a time. Each signs every checkpoint, and notes with many signatures are refused by those
 * who read them: 64 are read here, of which witnesses may take 16.
 */
export const replacedKeysMax = 31;

/** The file of the current key, in the data directory. */
const signingKeyName = 'audit-signing.key';
const nextKeyName = 'audit-signing.next.key';
/** A replaced key, named by the id in its verifier key. Its PEM follows a line with the time until which it signs. */
const replacedKeyPattern = /^audit-signing\.(?<id>[0-9a-f]{8})\.key$/;
const untilPattern = /^signs until (?<time>\S+)\n/;

interface StoredReplacedKey extends ReplacedKey {
  file: string;
  signer: NoteSigner;
}

/** Reads the keys that were replaced. @throws NoteError where the origin cannot be the name of a key; Error of the file system */
export function openSigningKeys({ directory, origin, signingKey, overlapMs, now }: SigningKeysDeps): SigningKeys {
  let currentKey = signingKey;
  let current = noteSigner(origin, currentKey);
  const readReplaced = () => readReplacedKeys(directory, origin).filter(({ vkey }) => vkey !== current.vkey);
  let replaced = readReplaced();
  const nextFile = join(directory, nextKeyName);
  const signing = () => replaced.filter(({ signsUntil }) => signsUntil > now()).slice(0, replacedKeysMax);
  return {
    signers: () => [current, ...signing().map(({ signer }) => signer)],
    verifiers: () => [current.vkey, ...replaced.map(({ vkey }) => vkey)].map(verifierOf),
    vkey: () => current.vkey,
    ownVkeys: () => {
      const next = readIfPresent(nextFile);
      const nextVkeys = next === undefined ? [] : [noteSigner(origin, createPrivateKey(next)).vkey];
      return [current.vkey, ...replaced.map(({ vkey }) => vkey), ...nextVkeys];
    },
    publicKey: () => createPublicKey(currentKey),
    replaced: () => signing().map(({ vkey, signsUntil }) => ({ vkey, signsUntil })),
    isRotationPending: () => readIfPresent(nextFile) !== undefined,
    rotate: async (record) => {
      const nextKey = createPrivateKey(readIfPresent(nextFile) ?? (await createKey(nextFile)));
      const next = noteSigner(origin, nextKey);
      const previous = { vkey: current.vkey, signsUntil: now() + overlapMs };
      const rotation = { vkey: next.vkey, previous };
      try {
        await record(rotation);
      } catch (error) {
        rmSync(nextFile, { force: true });
        throw error;
      }
      const until = `signs until ${isoTime(previous.signsUntil)}\n`;
      const file = join(directory, `audit-signing.${idOf(current.vkey)}.key`);
      await replaceFile(file, `${until}${pemOf(currentKey)}`);
      await rename(nextFile, join(directory, signingKeyName));
      currentKey = nextKey;
      current = next;
      replaced = readReplaced();
      return rotation;
    },
    dropExpired: () => {
      for (const { file, signsUntil } of replaced) if (signsUntil <= now()) rmSync(file, { force: true });
      replaced = replaced.filter(({ signsUntil }) => signsUntil > now());
    },
  };
}

/** Creates the file of a new key. Returns its PEM. */
async function createKey(file: string): Promise<string> {
  const pem = pemOf(generateKeyPairSync('ed25519').privateKey);
  await replaceFile(file, pem);
  return pem;
}

function pemOf(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString();
}

/** The id in a verifier key, 8 hexadecimal digits. */
function idOf(vkey: string): string {
  return verifierOf(vkey).keyId;
}

function readReplacedKeys(directory: string, origin: string): StoredReplacedKey[] {
  return readdirSync(directory)
    .filter((name) => replacedKeyPattern.test(name))
    .map((name) => {
      const file = join(directory, name);
      restrictFile(file);
      const text = readFileSync(file, 'utf8');
      const signer = noteSigner(origin, createPrivateKey(text.replace(untilPattern, '')));
      const signsUntil = Date.parse(untilPattern.exec(text)?.groups?.time ?? '');
      return { file, signer, vkey: signer.vkey, signsUntil };
    })
    .toSorted((left, right) => right.signsUntil - left.signsUntil);
}

function readIfPresent(file: string): string | undefined {
  try {
    restrictFile(file);
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}
