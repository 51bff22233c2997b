/** SearchIndex as a small model makes them, without the model: random directions. */

/** Numbers in a vector, as of all-MiniLM-L6-v2. */
export const dimensions = 384;

/** A random direction of length 1. */
export function randomVector(): number[] {
  const numbers = Array.from({ length: dimensions }, () => Math.random() - 0.5);
  const length = Math.hypot(...numbers);
  return numbers.map((number) => number / length);
}
