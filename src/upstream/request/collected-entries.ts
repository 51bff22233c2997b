/** The entries of a list over its pages, within the limits of lengths. What exceeds them is not held until the last page. */

import { createTimeSlices } from '../../flow/time-slices.ts';
import { isDeeperThan } from '../../shapes/json.ts';
import { valueLength } from '../response-limits.ts';

/** The limits of a list. Lengths are UTF-16 units of the texts and names of one entry, and of all together. */
export interface EntryLimits {
  entriesMax: number;
  entryLengthMax: number;
  listLengthMax: number;
}

/** Levels of nesting of an entry. Comparing and writing deeper ones could overflow the stack, which would hide the whole list. */
const levelsMax = 200;

/** Collects entries. */
export class CollectedEntries {
  readonly entries: unknown[] = [];
  tooLongCount = 0;
  #length = 0;
  readonly #limits: EntryLimits;
  readonly #slice = createTimeSlices();

  constructor(limits: EntryLimits) {
    this.#limits = limits;
  }

  /** Adds a page, in time slices. */
  async add(page: readonly unknown[]): Promise<void> {
    const { entryLengthMax, listLengthMax } = this.#limits;
    for (const entry of page) {
      const length = valueLength(entry, entryLengthMax);
      // Each level has a length of 1 at least, so that most entries need no look at their levels.
      const isDeep = length > levelsMax && isDeeperThan(levelsMax, entry);
      if (isDeep || length > entryLengthMax || this.#length + length > listLengthMax) this.tooLongCount += 1;
      else {
        this.#length += length;
        this.entries.push(entry);
      }
      await this.#slice();
    }
  }

  /** Whether further pages are not fetched. A list with one entry too long still is, since others may not be. */
  isFull(): boolean {
    const { entriesMax, listLengthMax } = this.#limits;
    return this.entries.length + this.tooLongCount > entriesMax || this.#length >= listLengthMax;
  }
}
