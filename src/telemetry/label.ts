/**
 * Limits on the number of distinct label values of metrics.
 * A metric keeps a series for each value, so values chosen by callers or upstreams are replaced by one overflow value beyond the
 * limit.
 */

/** The value that replaces all values beyond the limit. */
export const overflowLabel = '_other';

/** Returns the value itself if it is within the limit, else `_other`. */
export type LabelLimit = (value: string) => string;

/** A limit of `valuesMax` distinct values for the lifetime of the process. `onOverflow` is called for each replaced value. */
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
