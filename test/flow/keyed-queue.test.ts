import { AsyncLocalStorage } from 'node:async_hooks';
import { describe, expect, test } from 'vitest';
import { createKeyedQueue } from '../../src/flow/keyed-queue.ts';

/** A work that notes its start, and ends when it is let. */
function work(log: string[], name: string) {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const run = () => {
    log.push(name);
    return promise;
  };
  return { run, finish: () => resolve(name), fail: (error: Error) => reject(error) };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('works of one key', () => {
  test('run one at a time, in order, and settle as themselves', async () => {
    const log: string[] = [];
    const queue = createKeyedQueue();
    const first = work(log, 'first');
    const second = work(log, 'second');
    const results = Promise.all([queue('key', first.run), queue('key', second.run)]);
    await turn();
    expect(log).toEqual(['first']);
    first.finish();
    await turn();
    expect(log).toEqual(['first', 'second']);
    second.finish();
    await expect(results).resolves.toEqual(['first', 'second']);
  });

  test('go on after one that failed', async () => {
    const log: string[] = [];
    const queue = createKeyedQueue();
    const first = work(log, 'first');
    const second = work(log, 'second');
    const failed = queue('key', first.run);
    const succeeded = queue('key', second.run);
    first.fail(new Error('failed'));
    second.finish();
    await expect(failed).rejects.toThrow('failed');
    await expect(succeeded).resolves.toBe('second');
  });

  test('run again after the queue was empty', async () => {
    const queue = createKeyedQueue();
    await queue('key', async () => 'first');
    await expect(queue('key', async () => 'second')).resolves.toBe('second');
  });

  test('run in the context of their callers', async () => {
    const context = new AsyncLocalStorage<string>();
    const queue = createKeyedQueue();
    const seen = await Promise.all(
      ['one', 'other'].map((name) => context.run(name, () => queue('key', async () => context.getStore()))),
    );
    expect(seen).toEqual(['one', 'other']);
  });
});

describe('works of different keys', () => {
  test('run side by side', async () => {
    const log: string[] = [];
    const queue = createKeyedQueue();
    const first = work(log, 'first');
    const second = work(log, 'second');
    const results = Promise.all([queue('one', first.run), queue('other', second.run)]);
    await turn();
    expect(log).toEqual(['first', 'second']);
    first.finish();
    second.finish();
    await results;
  });
});
