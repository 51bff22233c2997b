/** Random unit vectors in place of those of a small embedding model. */

/** The length of a vector of all-MiniLM-L6-v2. */
export const dimensions = 384;

/** A random vector of length 1. */
export function randomVector(): number[] {
  const numbers = Array.from({ length: dimensions }, () => Math.random() - 0.5);
  const length = Math.hypot(...numbers);
  return numbers.map((number) => number / length);
}
