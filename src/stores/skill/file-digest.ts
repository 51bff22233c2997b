/** The SHA-256 of a file of a skill, computed once: the parser, the content scan and the store need it. */
import { hash } from 'node:crypto';
import type { SkillFile } from '../../shapes/skill.ts';

const digests = new WeakMap<object, string>();

/** SHA-256 (hex) of the bytes of a file. Files are never changed. */
export function fileDigest(file: Pick<SkillFile, 'content' | 'encoding'>): string {
  const known = digests.get(file);
  if (known !== undefined) return known;
  return rememberFileDigest(file, Buffer.from(file.content, file.encoding));
}

/** Computes the digest of a file from its bytes, which were just read. */
export function rememberFileDigest(file: object, bytes: Uint8Array): string {
  const digest = hash('sha256', bytes, 'hex');
  digests.set(file, digest);
  return digest;
}
