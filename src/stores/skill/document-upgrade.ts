/**
 * Upgrades stored skill documents to schema version 4, which references file contents by digest.
 * Version 3 stored no SKILL.md, so one is written from the parsed frontmatter and the instructions.
 */
import { hash } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import { stringify } from 'yaml';
import { z } from 'zod';

const rowSchema = z.object({ skill_id: z.string(), version: z.int(), document: z.string() });
const documentSchema = z.object({
  frontmatter: z.looseObject({
    name: z.string(),
    description: z.string(),
    allowedTools: z.array(z.string()).optional(),
  }),
  instructions: z.string(),
  files: z.array(z.object({ path: z.string(), content: z.string(), encoding: z.enum(['utf-8', 'base64']) })),
  digest: z.string(),
});

/** Rewrites the documents of all versions, in the open transaction. Their digests, which identify them, do not change. */
export function upgradeSkillDocuments(connection: DatabaseSync): void {
  const insert = connection.prepare('INSERT INTO skill_blobs (digest, content) VALUES (?, ?) ON CONFLICT DO NOTHING');
  const update = connection.prepare('UPDATE skill_versions SET document = ? WHERE skill_id = ? AND version = ?');
  const put = (bytes: Buffer): string => {
    const digest = hash('sha256', bytes, 'hex');
    insert.run(digest, bytes);
    return digest;
  };
  const keys = connection.prepare('SELECT skill_id, version, document FROM skill_versions').all();
  for (const key of keys) {
    const row = rowSchema.parse(key);
    const { frontmatter, instructions, files, digest } = documentSchema.parse(JSON.parse(row.document));
    const { allowedTools, ...fields } = frontmatter;
    const attributes = { ...fields, ...(allowedTools && { 'allowed-tools': allowedTools.join(' ') }) };
    const manifest = {
      frontmatter,
      attributes,
      instructions,
      sourceDigest: put(Buffer.from(`---\n${stringify(attributes)}---\n\n${instructions}\n`)),
      files: files.map(({ path, content, encoding }) => ({
        path,
        encoding,
        digest: put(Buffer.from(content, encoding)),
      })),
      warnings: [],
      digest,
    };
    update.run(JSON.stringify(manifest), row.skill_id, row.version);
  }
}
