/**
 * Prepared SQL statements: queries that parse each row, and commands that need an open transaction.
 * Stored rows are `unknown` until a schema parses them. Every failure is thrown as STORAGE_FAILED.
 */
import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import { z } from 'zod';
import type { StorageFailure } from './storage-error.ts';
import { assertOpen, type Transaction } from './transaction-queue.ts';

/** Named parameters. `undefined` is stored as NULL, a boolean as 0 or 1, bytes as a BLOB. */
export type Parameters = Record<string, string | number | boolean | Uint8Array | undefined>;

/** A statement that reads. Inside a transaction it sees what the transaction wrote. */
export interface Query<Row> {
  /** @throws HestiaError STORAGE_FAILED, also for a row that does not parse. */
  first(parameters?: Parameters): Row | undefined;
  /** @throws HestiaError STORAGE_FAILED, also for a row that does not parse. */
  all(parameters?: Parameters): Row[];
}

/** A statement that writes. */
export interface Command {
  /**
   * Returns the number of changed rows.
   * @throws HestiaError STORAGE_FAILED, also for a violated constraint.
   */
  run(tx: Transaction, parameters?: Parameters): number;
}

/**
 * Prepares `sql`, whose columns are named as the fields of `rowSchema`. A column that is NULL is left out of its row, so
 * that the schema of a noun with optional fields is also the schema of its rows.
 */
export function prepareQuery<Row>(
  connection: DatabaseSync,
  sql: string,
  rowSchema: z.ZodType<Row>,
  failure: StorageFailure,
): Query<Row> {
  const statement = connection.prepare(sql);
  return {
    first: (parameters = {}) =>
      translated(failure, () => {
        const row = statement.get(bound(parameters));
        return row === undefined ? undefined : rowSchema.parse(withoutNulls(row));
      }),
    all: (parameters = {}) =>
      translated(failure, () => statement.all(bound(parameters)).map((row) => rowSchema.parse(withoutNulls(row)))),
  };
}

/** Prepares `sql` for writing. */
export function prepareCommand(connection: DatabaseSync, sql: string, failure: StorageFailure): Command {
  const statement = connection.prepare(sql);
  return {
    run(tx, parameters = {}) {
      assertOpen(tx);
      return translated(failure, () => Number(statement.run(bound(parameters)).changes));
    },
  };
}

/** A column of JSON text, parsed and then checked. */
export function jsonColumn<Schema extends z.ZodType>(schema: Schema) {
  return z
    .string()
    .transform((text, context): unknown => {
      try {
        return JSON.parse(text);
      } catch {
        context.addIssue('not valid JSON');
        return z.NEVER;
      }
    })
    .pipe(schema);
}

function withoutNulls(row: Record<string, SQLOutputValue>): Record<string, SQLOutputValue> {
  const present: Record<string, SQLOutputValue> = {};
  for (const [name, value] of Object.entries(row)) if (value !== null) present[name] = value;
  return present;
}

function bound(parameters: Parameters): Record<string, string | number | Uint8Array | null> {
  const values: Record<string, string | number | Uint8Array | null> = {};
  for (const [name, value] of Object.entries(parameters)) {
    values[name] = typeof value === 'boolean' ? Number(value) : (value ?? null);
  }
  return values;
}

function translated<T>(failure: StorageFailure, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    throw failure(cause);
  }
}
