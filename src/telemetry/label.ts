/**
 * Bounded label values. A metric keeps a series for each value it ever saw, so a value that callers or upstreams
 * choose is admitted to a fixed number of places and folded into one overflow value beyond them.
 */

/** The value that stands for all values beyond the limit. */
export const overflowLabel = '_other';

/** A function that answers the value itself while there is room, and `_other` from then on. */
export type LabelLimit = (value: string) => string;

/** A limit of `valuesMax` distinct values for the life of the process; `onOverflow` hears of each value folded. */
export function createLabelLimit(valuesMax: number, onOverflow?: () => void): LabelLimit {
  const admitted = new Set<string>();
  return (value) => {
    if (admitted.has(value)) return value;
    if (admitted.size >= valuesMax) {
      onOverflow?.();
      return overflowLabel;
    }
    admitted.add(value);
    return value;
  };
}
