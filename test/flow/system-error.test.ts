import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { systemErrorCode } from '../../src/flow/system-error.ts';

function thrownBy(work: () => unknown): unknown {
  try {
    return work();
  } catch (error) {
    return error;
  }
}

describe('the code of a system error', () => {
  test('is the one Node.js gives it', () => {
    expect(systemErrorCode(thrownBy(() => readFileSync('/nowhere/at/all')))).toBe('ENOENT');
  });

  test.each([
    ['an error without a code', new Error('failed')],
    ['a code that is a number', Object.assign(new Error('failed'), { code: 5 })],
    ['an object that is no error', { code: 'ENOENT' }],
    ['undefined', undefined],
  ])('is undefined for %s', (_kind, error) => {
    expect(systemErrorCode(error)).toBeUndefined();
  });
});
