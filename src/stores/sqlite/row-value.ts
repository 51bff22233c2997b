/**
 * Values of rows of SQLite, checked by their type alone.
 * For worker threads and for opening a file: a schema library would take most of the time in which a thread starts.
 */
import type { SQLOutputValue } from 'node:sqlite';

type Row = Record<string, SQLOutputValue> | undefined;

/** The integer in a column. @throws Error if there is none */
export function integerIn(row: Row, column: string): number {
  const value = optionalIntegerIn(row, column);
  if (value === undefined) throw new Error(`the column ${column} has no integer`);
  return value;
}

/** The integer in a column; undefined for NULL. @throws Error for anything else */
export function optionalIntegerIn(row: Row, column: string): number | undefined {
  const value = row?.[column] ?? undefined;
  if (value === undefined || (typeof value === 'number' && Number.isSafeInteger(value))) return value;
  throw new Error(`the column ${column} has a value that is not an integer`);
}

/** The text in a column. @throws Error if there is none */
export function textIn(row: Row, column: string): string {
  const value = row?.[column];
  if (typeof value !== 'string') throw new Error(`the column ${column} has no text`);
  return value;
}
