/**
 * Deletes old versions of skills, those of deleted skills, and the bytes that no version has any more. It deletes in bounded
 * transactions, and may be repeated.
 */
import { z } from 'zod';
import { createTimeSlices } from '../../flow/time-slices.ts';
import type { Database, Transaction } from '../database.ts';
import { jsonColumn } from '../statement.ts';
import { skillManifestSchema } from './content.ts';

/** Which versions are deleted. Times are Unix milliseconds. */
export interface VersionRetention {
  /** The newest versions that are kept of each skill. Those that are active, or become active again, are kept too. */
  versionsMax: number;
  /** Versions of skills that were deleted before are deleted. */
  deletedBefore: number;
}

/** Deletes what skills no longer need. All methods throw HestiaError STORAGE_FAILED if the database fails. */
export interface SkillRetentionStore {
  /** Deletes at most `limit` versions, and returns how many. */
  deleteVersions(tx: Transaction, retention: VersionRetention & { limit: number }): Promise<number>;
  /** Deletes the bytes that no version references. Nothing else deletes versions meanwhile. Returns how many files it deleted. */
  deleteUnreferencedBytes(): Promise<number>;
}

/** Versions read at once. */
const pageSize = 20;
/** Files deleted in one transaction. */
const batchSize = 20;

/** Creates the store in `database`. */
export function createSkillRetentionStore(database: Database): SkillRetentionStore {
  const deleteVersions = database.command(
    `DELETE FROM skill_versions WHERE rowid IN (
       SELECT version.rowid FROM skill_versions AS version JOIN skills AS skill USING (skill_id)
       WHERE (skill.deleted_at < :deletedBefore OR version.version <= skill.latest_version - :versionsMax)
         AND NOT EXISTS (SELECT 1 FROM activations
           WHERE activations.skill_id = version.skill_id AND activations.version = version.version)
         AND (skill.resumes IS NULL OR json_extract(skill.resumes, '$.version') <> version.version)
       LIMIT :limit)`,
  );
  return {
    deleteVersions: async (tx, retention) => deleteVersions.run(tx, { ...retention }),
    deleteUnreferencedBytes: prepareDeletionOfBytes(database),
  };
}

function prepareDeletionOfBytes(database: Database): SkillRetentionStore['deleteUnreferencedBytes'] {
  const allDigests = database.query('SELECT digest FROM skill_blobs', z.object({ digest: z.string() }));
  const manifests = database.query(
    `SELECT rowid AS position, document FROM skill_versions WHERE rowid > :after ORDER BY rowid LIMIT ${pageSize}`,
    z.object({ position: z.int(), document: jsonColumn(referencesSchema) }),
  );
  const deleteBlob = database.command('DELETE FROM skill_blobs WHERE digest = :digest');
  /** Takes the digests of the versions after `after` out of the set, a page. Returns the position of the last one. */
  const keepReferenced = (digests: Set<string>, after: number): number | undefined => {
    const page = manifests.all({ after });
    for (const { document } of page) {
      for (const digest of [document.sourceDigest, ...document.files.map((file) => file.digest)])
        digests.delete(digest);
    }
    return page.at(-1)?.position;
  };
  const deleteBatch = (digests: Set<string>, after: number) =>
    database.transaction(async (tx) => {
      // A version that was published since may have the bytes of one that was deleted. New versions have higher positions.
      for (let at: number | undefined = after; at !== undefined; ) at = keepReferenced(digests, at);
      const batch = [...digests].slice(0, batchSize);
      for (const digest of batch) deleteBlob.run(tx, { digest });
      return batch;
    });
  return async () => {
    const digests = new Set(allDigests.all({}).map(({ digest }) => digest));
    const slice = createTimeSlices();
    let after = 0;
    for (let at: number | undefined = 0; at !== undefined; at = keepReferenced(digests, at)) {
      after = at;
      await slice();
    }
    let count = 0;
    while (digests.size > 0) {
      const batch = await deleteBatch(digests, after);
      if (batch.length === 0) break;
      for (const digest of batch) digests.delete(digest);
      count += batch.length;
    }
    return count;
  };
}

const referencesSchema = skillManifestSchema.pick({ sourceDigest: true }).extend({
  files: z.array(z.object({ digest: z.string() })),
});
