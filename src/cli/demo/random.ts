/** A seeded random number generator: the same seed gives the same choices. Not for secrets. */

/** A source of random choices. */
export interface DemoRandom {
  /** A number in the range from `min` to `max`, excluding `max`. */
  between(min: number, max: number): number;
  /** One of the items, or undefined if there are none. */
  pick<Item>(items: readonly Item[]): Item | undefined;
}

/** Creates a generator seeded with a whole number. Source: mulberry32, Tommy Ettinger, 2017 (public domain). */
export function createDemoRandom(seed: number): DemoRandom {
  let state = seed >>> 0;
  const fraction = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
  return {
    between: (min, max) => min + fraction() * (max - min),
    pick: (items) => items[Math.floor(fraction() * items.length)],
  };
}
