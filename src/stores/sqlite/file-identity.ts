/** The identity of an SQLite file: the program that wrote it, and the version of its schema. */
import type { DatabaseSync } from 'node:sqlite';
import { integerIn } from './row-value.ts';

/** The identity. An empty file has version 0, application 0 and no tables. */
export interface FileIdentity {
  version: number;
  application: number;
  tables: number;
}

/** Reads the identity. @throws what SQLite throws, such as for a file of another format */
export function readIdentity(connection: DatabaseSync): FileIdentity {
  const row = connection
    .prepare(
      `SELECT user_version AS version, application_id AS application, (SELECT count(*) FROM sqlite_schema) AS tables
       FROM pragma_user_version, pragma_application_id`,
    )
    .get();
  return {
    version: integerIn(row, 'version'),
    application: integerIn(row, 'application'),
    tables: integerIn(row, 'tables'),
  };
}
