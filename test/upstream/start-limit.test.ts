/** The limit on child processes that start at the same time. */
import { describe, expect, test } from 'vitest';
import { createStartLimit } from '../../src/upstream/start-limit.ts';
import { useFakeClock } from '../support/fake-clock.ts';

function starting(startsMax: number) {
  const limit = createStartLimit(startsMax);
  const starts: PromiseWithResolvers<string>[] = [];
  const start = (signal = new AbortController().signal) =>
    limit(() => {
      const started = Promise.withResolvers<string>();
      starts.push(started);
      return started.promise;
    }, signal);
  return { start, starts };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('starts beyond the limit', () => {
  test('wait until an earlier one has settled, also if it failed', async () => {
    const { start, starts } = starting(2);
    const results = Promise.allSettled([start(), start(), start(), start()]);
    await turn();
    expect(starts).toHaveLength(2);
    starts[0]?.reject(new Error('failed'));
    starts[1]?.resolve('second');
    await turn();
    expect(starts).toHaveLength(4);
    for (const started of starts) started.resolve('later');
    expect((await results).map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'fulfilled', 'fulfilled']);
  });

  test('wait for at most 10 seconds for one that hangs', async () => {
    using clock = useFakeClock();
    const { start, starts } = starting(1);
    void start();
    void start();
    await clock.advance(9999);
    expect(starts).toHaveLength(1);
    await clock.advance(1);
    expect(starts).toHaveLength(2);
  });

  test('end when they are cancelled, and do not start later', async () => {
    const { start, starts } = starting(1);
    void start();
    const controller = new AbortController();
    const waiting = start(controller.signal);
    controller.abort(new Error('disconnected'));
    await expect(waiting).rejects.toThrow('disconnected');
    starts[0]?.resolve('first');
    await turn();
    expect(starts).toHaveLength(1);
  });
});
