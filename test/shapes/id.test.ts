import { describe, expect, test } from 'vitest';
import { newId } from '../../src/shapes/id.ts';

describe('a new identifier', () => {
  test('is its prefix and a UUID of version 7', () => {
    expect(newId('call')).toMatch(/^call_[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });

  test('begins with the milliseconds at which it was created', () => {
    const before = Date.now();
    const digits = newId('skl').slice('skl_'.length).replaceAll('-', '').slice(0, 12);
    expect(Number.parseInt(digits, 16)).toBeGreaterThanOrEqual(before);
    expect(Number.parseInt(digits, 16)).toBeLessThanOrEqual(Date.now());
  });

  test('is never given twice', () => {
    expect(new Set(Array.from({ length: 10_000 }, () => newId('srch'))).size).toBe(10_000);
  });
});
