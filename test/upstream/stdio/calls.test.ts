/** Tool calls over stdio, and the responses that a server sends to them. */
import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../../src/shapes/json.ts';
import { Calls } from '../../../src/upstream/stdio/calls.ts';

function calling() {
  const sent: JsonObject[] = [];
  const calls = new Calls({
    send: async (message) => void sent.push(message),
    isOfLibrary: (id) => id === 'probe' || (typeof id === 'number' && id < 5),
  });
  const call = (signal = new AbortController().signal) => {
    const ending = calls.call({ name: 'echo' }, signal).then(
      (result) => result,
      (error: Error & { errorType?: string }) => error.errorType ?? error.message,
    );
    return { id: Number(sent.at(-1)?.id), ending };
  };
  return { calls, sent, call };
}

const pending = Symbol('pending');
/** The ending of a call, or `pending`. */
const state = (ending: Promise<unknown>) => Promise.race([ending, Promise.resolve(pending)]);

describe('a response', () => {
  test('settles the call with its id, whatever the order', async () => {
    const { calls, call } = calling();
    const [first, second] = [call(), call()];
    expect(calls.accept({ id: second.id, result: { n: 2 } })).toBe(true);
    calls.accept({ id: first.id, error: { code: -32_000, message: 'no such table' } });
    expect(await second.ending).toEqual({ n: 2 });
    expect(await first.ending).toBe('no such table');
  });

  test('to a request of the library is left to it', () => {
    const { calls, call } = calling();
    call();
    expect([calls.accept({ id: 3, result: {} }), calls.accept({ id: 'probe', result: {} })]).toEqual([false, false]);
  });

  test('that comes twice, or after a cancellation, affects no other call', async () => {
    const { calls, sent, call } = calling();
    const controller = new AbortController();
    const cancelled = call(controller.signal);
    const other = call();
    controller.abort('deadline');
    expect(await cancelled.ending).toBe('cancelled');
    expect(sent.at(-1)).toMatchObject({
      method: 'notifications/cancelled',
      params: { requestId: cancelled.id, reason: 'deadline' },
    });
    expect(calls.accept({ id: cancelled.id, result: {} })).toBe(true);
    expect(await state(other.ending)).toBe(pending);
  });

  test('with an unknown id fails the only call that it can be for', async () => {
    const { calls, call } = calling();
    const { ending } = call();
    expect(calls.accept({ id: null, error: { code: -32_600, message: 'Invalid Request' } })).toBe(true);
    expect(await ending).toBe('invalid_response');
  });

  test.each([[{ valueOf: 1, toString: 1 }], [[{ valueOf: 1, toString: 1 }]], [[1_000_000_000]], [true]])(
    'with the id %j, of no type that an id has, fails the only call that it can be for',
    async (id) => {
      const { calls, call } = calling();
      const { ending } = call();
      expect(calls.accept({ id, result: {} })).toBe(true);
      expect(await ending).toBe('invalid_response');
    },
  );

  test('with an unknown id fails a call as soon as the others are settled', async () => {
    const { calls, call } = calling();
    const [first, second, third] = [call(), call(), call()];
    calls.accept({ id: 77, result: {} });
    const later = call();
    calls.accept({ id: first.id, result: {} });
    expect(await state(third.ending)).toBe(pending);
    calls.accept({ id: second.id, result: {} });
    expect(await third.ending).toBe('invalid_response');
    expect(await state(later.ending)).toBe(pending);
  });

  test('with an unknown id for each of two calls fails both', async () => {
    const { calls, call } = calling();
    const [first, second] = [call(), call()];
    calls.accept({ id: 77, result: {} });
    calls.accept({ id: 78, result: {} });
    expect(await Promise.all([first.ending, second.ending])).toEqual(['invalid_response', 'invalid_response']);
  });
});
