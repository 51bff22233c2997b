/**
 * The store of skill content: the bytes of files by SHA-256, and a manifest for each version.
 * Bytes are never changed or normalised.
 */
import { z } from 'zod';
import { isJsonObject, type JsonObject } from '../../shapes/json.ts';
import { type SkillDocument, type SkillFile, skillDocumentSchema, skillFileSchema } from '../../shapes/skill.ts';
import type { Database, Transaction } from '../database.ts';
import { fileDigest } from './file-digest.ts';

/** Writes documents as manifests with their bytes beside them, and reads them again. */
export interface SkillContentStore {
  /** Stores the bytes that are not stored yet. @returns the manifest, which is stored with the version */
  write(tx: Transaction, document: SkillDocument): SkillManifest;
  /** @throws HestiaError STORAGE_FAILED, also if bytes of the manifest are missing */
  read(manifest: SkillManifest): SkillDocument;
}

// zod copies objects without the key `__proto__`, which a frontmatter may have.
const verbatimSchema = z.custom<JsonObject>(isJsonObject);

/** A stored document: everything but the bytes of its files, which are referenced by their SHA-256 (hex). */
export const skillManifestSchema = skillDocumentSchema.omit({ source: true, files: true, attributes: true }).extend({
  attributes: verbatimSchema,
  sourceDigest: z.string(),
  files: z.array(skillFileSchema.omit({ content: true }).extend({ digest: z.string() })),
});
/** A parsed {@link skillManifestSchema}. */
export type SkillManifest = z.infer<typeof skillManifestSchema>;

/** Creates the store of skill content in `database`. */
export function createSkillContentStore(database: Database): SkillContentStore {
  const insert = database.command(
    'INSERT INTO skill_blobs (digest, content) VALUES (:digest, :content) ON CONFLICT (digest) DO NOTHING',
  );
  const has = database.query('SELECT 1 AS found FROM skill_blobs WHERE digest = :digest', z.object({ found: z.int() }));
  const find = database.query(
    'SELECT content FROM skill_blobs WHERE digest = :digest',
    z.object({ content: z.instanceof(Uint8Array) }),
  );
  const put = (tx: Transaction, file: Pick<SkillFile, 'content' | 'encoding'>): string => {
    const digest = fileDigest(file);
    if (has.first({ digest }) === undefined)
      insert.run(tx, { digest, content: Buffer.from(file.content, file.encoding) });
    return digest;
  };
  const get = (digest: string, encoding: SkillFile['encoding']): string => {
    const row = find.first({ digest });
    if (row === undefined) throw new Error(`the bytes with the digest ${digest} are not stored`);
    return Buffer.from(row.content.buffer, row.content.byteOffset, row.content.byteLength).toString(encoding);
  };
  return {
    write: (tx, { source, files, ...rest }) => ({
      ...rest,
      sourceDigest: put(tx, { content: source, encoding: 'utf-8' }),
      files: files.map((file) => ({ path: file.path, encoding: file.encoding, digest: put(tx, file) })),
    }),
    read: ({ sourceDigest, files, ...rest }) => ({
      ...rest,
      source: get(sourceDigest, 'utf-8'),
      files: files.map(({ path, encoding, digest }) => ({ path, content: get(digest, encoding), encoding })),
    }),
  };
}
