/** Upgrades a database to schema version 8, which counts the bytes of skills by their publisher. */
import type { DatabaseSync } from 'node:sqlite';

/** Adds the counts, and counts what is stored, in the open transaction. */
export function upgradeSkillBytes(connection: DatabaseSync): void {
  connection.exec(`ALTER TABLE skill_versions ADD COLUMN bytes INTEGER NOT NULL DEFAULT 0;
    CREATE TABLE skill_bytes (
      namespace TEXT NOT NULL,
      agent_id  TEXT NOT NULL,
      bytes     INTEGER NOT NULL,
      PRIMARY KEY (namespace, agent_id)
    ) STRICT, WITHOUT ROWID;
    DROP TRIGGER skill_versions_never_change;
    UPDATE skill_versions SET bytes = octet_length(document)
      + coalesce((SELECT octet_length(content) FROM skill_blobs WHERE digest = json_extract(document, '$.sourceDigest')), 0)
      + coalesce((SELECT sum(octet_length(content)) FROM json_each(document, '$.files') AS file
          JOIN skill_blobs AS blob ON blob.digest = json_extract(file.value, '$.digest')), 0);
    INSERT INTO skill_bytes (namespace, agent_id, bytes)
      SELECT namespace, published_by, sum(bytes) FROM skill_versions JOIN skills USING (skill_id)
      GROUP BY namespace, published_by;
    CREATE TRIGGER skill_versions_never_change BEFORE UPDATE ON skill_versions
    BEGIN
      SELECT RAISE(ABORT, 'skill versions are immutable');
    END;
    CREATE TRIGGER skill_bytes_stored AFTER INSERT ON skill_versions
    BEGIN
      INSERT INTO skill_bytes (namespace, agent_id, bytes)
        SELECT namespace, new.published_by, new.bytes FROM skills WHERE skill_id = new.skill_id
        ON CONFLICT (namespace, agent_id) DO UPDATE SET bytes = bytes + excluded.bytes;
    END;
    CREATE TRIGGER skill_bytes_deleted AFTER DELETE ON skill_versions
    BEGIN
      UPDATE skill_bytes SET bytes = bytes - old.bytes
        WHERE agent_id = old.published_by AND namespace = (SELECT namespace FROM skills WHERE skill_id = old.skill_id);
    END;
    PRAGMA user_version = 8;`);
}
