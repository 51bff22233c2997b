/** The wait before an attempt. */
import { describe, expect, test } from 'vitest';
import { reconnectDelay } from '../../src/flow/backoff.ts';

const bounds = { reconnectDelayMs: 500, reconnectDelayMsMax: 60_000 };

describe('the wait before the next attempt', () => {
  test('doubles its bound with each failure, up to the limit', () => {
    const delays = [1, 2, 3, 7, 8, 5000].map((failures) => reconnectDelay(bounds, failures, () => 1));
    expect(delays).toEqual([500, 1000, 2000, 32_000, 60_000, 60_000]);
  });

  test('is spread over all that is below the bound', () => {
    expect([0, 0.25, 0.5].map((random) => reconnectDelay(bounds, 2, () => random))).toEqual([1, 250, 500]);
  });
});
