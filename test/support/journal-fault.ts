/** Faults of a hub's journal, made from outside: its open segment is moved away, so that no record can be appended. */
import { existsSync, readdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';

/** The segment files of the journal in a data directory, oldest first. */
export function segmentFiles(dataDirectory: string): string[] {
  const folder = join(dataDirectory, 'journal', 'segments');
  return readdirSync(folder)
    .toSorted()
    .map((name) => join(folder, name));
}

/** Lets the journal refuse records until the result is disposed, which may be repeated. */
export function refuseRecords(dataDirectory: string): Disposable {
  const file = segmentFiles(dataDirectory).at(-1);
  if (file === undefined) throw new Error('the journal has no segment');
  renameSync(file, `${file}.moved`);
  return {
    [Symbol.dispose]: () => {
      if (existsSync(`${file}.moved`)) renameSync(`${file}.moved`, file);
    },
  };
}
