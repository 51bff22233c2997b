/**
 * Signed notes (C2SP signed-note): text with one or more Ed25519 signatures, and verifier keys.
 * Verifies signatures of logs (type 0x01) and timestamped cosignatures of witnesses (type 0x04, C2SP tlog-cosignature).
 */
import { createPublicKey, hash, type KeyObject, sign, verify } from 'node:crypto';

/** Signs the text of notes with an Ed25519 key. */
export interface NoteSigner {
  /** The name of the key, which the signature line carries. */
  name: string;
  /** The verifier key, as text. */
  vkey: string;
  /** The signature line of a text, with its newline. */
  sign(text: string): string;
}

/** Verifies signatures of one key. */
export interface NoteVerifier {
  name: string;
  /** The first four bytes of the key's hash, as a hexadecimal number of 8 digits. */
  keyId: string;
  vkey: string;
  /** Reports whether these bytes, without the key id, are a signature of the text. */
  verify(text: string, signature: Buffer): boolean;
}

/** A signature of a note that was verified, or whose key is unknown. */
export interface NoteSignature {
  name: string;
  keyId: string;
  /** The signature line, with its newline. */
  line: string;
  /** The bytes after the key id. */
  signature: Buffer;
}

/** A note with at least one signature that verifies. */
export interface OpenedNote {
  /** The signed text, with its final newline. */
  text: string;
  verified: NoteSignature[];
  /** Signatures of keys that no verifier was given for. Nothing is known about them. */
  unverified: NoteSignature[];
}

/** A text that is not a note, not a verifier key, or not signed as required. The message says which. */
export class NoteError extends Error {
  override readonly name = 'NoteError';
}

/** Signature types of C2SP signed-note. */
const ed25519Type = 1;
const cosignatureType = 4;
/** The most signatures that are read; the specification asks for at least 16. */
const signaturesMax = 64;
const publicKeyBytes = 32;
const signatureBytes = 64;
const timestampBytes = 8;
/** The DER bytes before the 32 bytes of an Ed25519 key in SubjectPublicKeyInfo (RFC 8410, section 4). */
const spkiPrefix = Buffer.from('302a300506032b6570032100', 'hex');
/** A name has no plus and no Unicode space (White_Space of the Unicode Character Database; `\s` lacks U+0085). */
const namePattern = /^[^+\s\u0085]+$/u;

/** Reports whether a text can be the name of a key. */
function isKeyName(name: string): boolean {
  return namePattern.test(name) && isNoteText(name);
}

/**
 * Creates the signer of an Ed25519 private key.
 * @throws NoteError where the name cannot be the name of a key
 */
export function noteSigner(name: string, privateKey: KeyObject): NoteSigner {
  const verifier = vkeyOf(name, createPublicKey(privateKey));
  const keyId = Buffer.from(verifierOf(verifier).keyId, 'hex');
  return {
    name,
    vkey: verifier,
    sign: (text) => signatureLine(name, Buffer.concat([keyId, sign(null, Buffer.from(text, 'utf8'), privateKey)])),
  };
}

/** The verifier key of an Ed25519 public key. @throws NoteError where the name or the kind of key is not possible */
export function vkeyOf(name: string, publicKey: KeyObject): string {
  if (!isKeyName(name)) throw new NoteError('the name of a key must be text without spaces and without "+"');
  if (publicKey.asymmetricKeyType !== 'ed25519') throw new NoteError('the key is not an Ed25519 key');
  const key = publicKey.export({ type: 'spki', format: 'der' }).subarray(spkiPrefix.length);
  return vkeyText(name, Buffer.concat([Buffer.of(ed25519Type), key]));
}

function vkeyText(name: string, typedKey: Buffer): string {
  return `${name}+${keyIdOf(name, typedKey)}+${typedKey.toString('base64')}`;
}

function keyIdOf(name: string, typedKey: Buffer): string {
  return hash('sha256', Buffer.concat([Buffer.from(`${name}\n`, 'utf8'), typedKey])).slice(0, 8);
}

/** Parses a verifier key of a log or of a witness. @throws NoteError where it is not one of Ed25519 */
export function verifierOf(vkey: string): NoteVerifier {
  const [name = '', keyId = '', encoded = ''] = splitVkey(vkey);
  const typedKey = decodeBase64(encoded);
  if (!isKeyName(name) || typedKey === undefined) throw new NoteError('the verifier key is not valid');
  const type = typedKey[0];
  if ((type !== ed25519Type && type !== cosignatureType) || typedKey.length !== 1 + publicKeyBytes)
    throw new NoteError('the verifier key is not an Ed25519 key (type 1 or 4)');
  if (vkeyText(name, typedKey) !== vkey) throw new NoteError('the id in the verifier key is not the id of its key');
  const der = Buffer.concat([spkiPrefix, typedKey.subarray(1)]);
  const publicKey = createPublicKey({ key: der, format: 'der', type: 'spki' });
  const isValid = type === ed25519Type ? holdsSignature : holdsCosignature;
  return { name, keyId, vkey, verify: (text, signature) => isValid({ text, signature, publicKey }) };
}

/** Splits at the first two plus signs; base64 may contain more of them. */
function splitVkey(vkey: string): string[] {
  const [name = '', keyId = '', ...key] = vkey.split('+');
  return [name, keyId, key.join('+')];
}

interface SignatureClaim {
  text: string;
  signature: Buffer;
  publicKey: KeyObject;
}

function holdsSignature({ text, signature, publicKey }: SignatureClaim): boolean {
  return signature.length === signatureBytes && verify(null, Buffer.from(text, 'utf8'), publicKey, signature);
}

/** The time of a cosignature, in Unix seconds, precedes it; both are signed (C2SP tlog-cosignature, Ed25519). */
function holdsCosignature({ text, signature, publicKey }: SignatureClaim): boolean {
  if (signature.length !== timestampBytes + signatureBytes) return false;
  const message = cosignedMessage(text, signature.readBigUInt64BE(0));
  return verify(null, Buffer.from(message, 'utf8'), publicKey, signature.subarray(timestampBytes));
}

/** What a witness signs: a checkpoint's text after a line with the time in Unix seconds. */
export function cosignedMessage(text: string, seconds: bigint): string {
  return `cosignature/v1\ntime ${seconds}\n${text}`;
}

/**
 * Signs a text with all keys.
 * @throws NoteError where the text does not end in a newline, or has control characters or ill-formed Unicode
 */
export function signNote(text: string, signers: readonly NoteSigner[]): string {
  if (!text.endsWith('\n') || !isNoteText(text)) throw new NoteError('the text cannot be a note');
  return `${text}\n${signers.map((signer) => signer.sign(text)).join('')}`;
}

function signatureLine(name: string, signature: Buffer): string {
  return `— ${name} ${signature.toString('base64')}\n`;
}

/** Well-formed Unicode without ASCII control characters other than newline. */
function isNoteText(text: string): boolean {
  return text.isWellFormed() && ![...text].some((character) => character < ' ' && character !== '\n');
}

/**
 * Verifies a note.
 * @throws NoteError where the text is not a note, a signature of a given key is not valid, or there is no signature of one
 */
export function openNote(note: string, verifiers: readonly NoteVerifier[]): OpenedNote {
  const { text, signatures } = parseNote(note);
  const opened: OpenedNote = { text, verified: [], unverified: [] };
  for (const signature of signatures) {
    const verifier = verifiers.find(({ name, keyId }) => name === signature.name && keyId === signature.keyId);
    if (verifier === undefined) opened.unverified.push(signature);
    else if (verifier.verify(text, signature.signature)) opened.verified.push(signature);
    else throw new NoteError(`the signature of ${verifier.name} is not valid`);
  }
  if (opened.verified.length === 0) throw new NoteError('the note has no signature of a known key');
  return opened;
}

/** Parses a note without verifying it. @throws NoteError where the text is not a note */
export function parseNote(note: string): { text: string; signatures: NoteSignature[] } {
  const split = note.lastIndexOf('\n\n');
  if (split === -1 || !note.endsWith('\n') || !isNoteText(note)) throw new NoteError('the text is not a signed note');
  return { text: note.slice(0, split + 1), signatures: parseSignatures(note.slice(split + 2)) };
}

const signaturePattern = /^— (?<name>\S+) (?<encoded>[A-Za-z0-9+/]+=*)$/u;

/** Parses signature lines, each with its newline. @throws NoteError where there are none, too many, or others */
export function parseSignatures(lines: string): NoteSignature[] {
  const found = lines.split('\n').slice(0, -1);
  if (found.length === 0 || found.length > signaturesMax || !lines.endsWith('\n'))
    throw new NoteError(`a signed note has 1 to ${signaturesMax} signatures`);
  return found.map((line) => {
    const { name = '', encoded = '' } = signaturePattern.exec(line)?.groups ?? {};
    const bytes = decodeBase64(encoded);
    if (!isKeyName(name) || bytes === undefined || bytes.length <= 4)
      throw new NoteError('a signature line of the note is not valid');
    return { name, keyId: bytes.toString('hex', 0, 4), line: `${line}\n`, signature: bytes.subarray(4) };
  });
}

/** Decodes base64 (RFC 4648, section 4); undefined where the text is not the canonical encoding of bytes. */
export function decodeBase64(encoded: string): Buffer | undefined {
  const bytes = Buffer.from(encoded, 'base64');
  return encoded !== '' && bytes.toString('base64') === encoded ? bytes : undefined;
}
