/** The lag of the views: how long the oldest record that they do not include has been waiting. */

/** Measures the lag. */
export interface ProjectionLag {
  /** The journal has grown to `size`. */
  appended(size: number): void;
  /** The views include the records up to `position`. */
  projected(position: number): void;
  /** The views include the records up to `position` of `size` only, which may be fewer than before. */
  restarted(ends: { position: number; size: number }): void;
  /** Seconds since the oldest record was appended that the views do not include; 0 if they include all. */
  seconds(): number;
}

/** A size of the journal, and when the oldest record up to it was noted that no earlier mark covers. */
interface Mark {
  size: number;
  at: number;
}

/** The most marks that are kept. Beyond it, two become one: the lag is then less exact, and never too low. */
const marksMax = 256;

/** Creates the measurement. `now` is monotonic, in milliseconds. */
export function createProjectionLag(now: () => number): ProjectionLag {
  let marks: Mark[] = [];
  let position = 0;
  /** The least time between two marks, in milliseconds. Doubled whenever the marks become too many. */
  let spacingMs = 0;
  return {
    appended: (size) => {
      const newest = marks.at(-1);
      if (size <= (newest?.size ?? position)) return;
      if (newest !== undefined && now() - newest.at < spacingMs) newest.size = size;
      else marks.push({ size, at: now() });
      if (marks.length <= marksMax) return;
      spacingMs = (2 * (now() - (marks[0]?.at ?? now()))) / marksMax;
      marks = halved(marks);
    },
    projected: (newest) => {
      position = newest;
      while (marks[0] !== undefined && marks[0].size <= newest) marks.shift();
      if (marks.length === 0) spacingMs = 0;
    },
    restarted: (ends) => {
      const oldest = marks[0]?.at ?? now();
      position = ends.position;
      marks = ends.position < ends.size ? [{ size: ends.size, at: oldest }] : [];
      spacingMs = 0;
    },
    seconds: () => (marks[0] === undefined ? 0 : (now() - marks[0].at) / 1000),
  };
}

/** Makes one mark of two: the size of the later and the time of the earlier one. */
function halved(marks: readonly Mark[]): Mark[] {
  return marks.flatMap((mark, index) => {
    if (index % 2 === 0) return index === marks.length - 1 ? [mark] : [];
    return [{ size: mark.size, at: marks[index - 1]?.at ?? mark.at }];
  });
}
