/** The largest numbers of an array that pass a filter, found without sorting and with few calls of it. */
import { kthLargest } from './kth-largest.ts';

/** Which numbers are wanted. */
export interface WantedValues {
  /** 1 or more. */
  countMax: number;
  /** Only numbers greater than this. */
  above: number;
  /** The filter, by index. It is called for the largest numbers only: for more of them as long as too few pass. */
  isWanted: (index: number) => boolean;
}

/**
 * The indexes of the `countMax` largest wanted numbers, in ascending order, with those of all that equal the last of these, and
 * possibly of smaller ones. `values` must not contain NaN.
 */
export function bestIndexes(values: Float64Array, { countMax, above, isWanted }: WantedValues): number[] {
  const reordered = values.slice();
  for (let considered = countMax; ; considered *= 4) {
    const least = considered < values.length ? kthLargest(reordered, considered) : above;
    const found: number[] = [];
    for (let index = 0; index < values.length; index += 1) {
      const value = values[index] ?? above;
      if (value >= least && value > above && isWanted(index)) found.push(index);
    }
    if (found.length >= countMax || least <= above) return found;
  }
}
