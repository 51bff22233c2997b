/** Counters of plain numbers, as the SDK exports them. */
import { metrics } from '@opentelemetry/api';
import { describe, expect, test } from 'vitest';
import { createTally } from '../../src/telemetry/tally.ts';
import { readMetrics } from '../support/telemetry/metric-reader.ts';

describe('a tally', () => {
  test('exports the sum of each series at each collection, also of one that counts nothing yet', async () => {
    using reader = readMetrics();
    const counter = metrics.getMeter('test').createObservableCounter('test.calls');
    let seriesCreated = 0;
    const tally = createTally(counter, (server: string, failure: string | undefined) => {
      seriesCreated += 1;
      return { server, ...(failure !== undefined && { failure }) };
    });
    const read = async () => {
      const found = (await reader.collect()).find(({ descriptor }) => descriptor.name === 'test.calls');
      return found?.dataPoints.map(({ attributes, value }) => ({ ...attributes, value }));
    };
    tally(0, 'a', 'timeout');
    tally(1, 'a', undefined);
    tally(2, 'a', undefined);
    tally(1, 'b', undefined);
    const first = [
      { server: 'a', failure: 'timeout', value: 0 },
      { server: 'a', value: 3 },
      { server: 'b', value: 1 },
    ];
    expect(await read()).toEqual(first);
    tally(1, 'a', 'timeout');
    expect(await read()).toEqual([{ server: 'a', failure: 'timeout', value: 1 }, ...first.slice(1)]);
    expect(seriesCreated).toBe(3);
  });
});
