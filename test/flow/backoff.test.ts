import { describe, expect, test } from 'vitest';
import { equalJitter, exponentialBackoff, fullJitter } from '../../src/flow/backoff.ts';

describe('exponential backoff', () => {
  test('doubles with each failure, up to its bound', () => {
    const bounds = { delayMs: 500, delayMsMax: 60_000 };
    const delays = [1, 2, 3, 7, 8, 5000].map((failures) => exponentialBackoff(bounds, failures));
    expect(delays).toEqual([500, 1000, 2000, 32_000, 60_000, 60_000]);
  });
});

describe('jitter', () => {
  test('is spread over the whole wait where it is full', () => {
    expect([0, 0.25, 0.5, 0.9999].map((random) => fullJitter(1000, () => random))).toEqual([1, 250, 500, 1000]);
  });

  test('is spread over the second half of the wait where it is equal', () => {
    expect([0, 0.5, 1].map((random) => equalJitter(1000, () => random))).toEqual([500, 750, 1000]);
  });
});
