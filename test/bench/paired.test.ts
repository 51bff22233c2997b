/** The statistics of the benchmarks: ratios within rounds, shuffled order, and void runs. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isVoid, ratioFinding, withVerdict } from './findings.ts';
import { compare, quantile, type Run, runPaired, type Slice, type Subject, total, twinName } from './paired.ts';

const slice = (latencyMs: number, calls = 4, cpuMs = 10): Slice => ({
  latenciesMs: Array.from({ length: calls }, () => latencyMs),
  wallMs: 100,
  cpuMs,
});

function runOf(...rounds: Record<string, Slice>[]): Run {
  return { baseName: 'base', rounds: rounds.map((round) => new Map(Object.entries(round))) };
}

describe('a ratio', () => {
  test('is the median of the ratios within rounds', () => {
    const run = runOf(
      { base: slice(1), other: slice(2) },
      { base: slice(100), other: slice(300) },
      { base: slice(2), other: slice(20) },
    );
    expect(compare(run, 'p50', 'other')).toEqual({ ratio: 3, quartiles: [2.5, 6.5] });
  });

  test('of throughput compares calls per time, and of CPU the sums', () => {
    const run = runOf(
      { base: slice(1, 10, 0), other: slice(1, 5, 10) },
      { base: slice(1, 10, 10), other: slice(1, 5, 0) },
    );
    expect(compare(run, 'throughput', 'other').ratio).toBe(0.5);
    expect(compare(run, 'cpu', 'other').ratio).toBe(2);
    expect(total(run, 'base')).toEqual({ calls: 20, p50Ms: 1, throughputPerSecond: 100, cpuPerCallUs: 500 });
  });

  test('of a subject that was not measured is refused', () => {
    expect(() => compare(runOf({ base: slice(1) }), 'p50', 'other')).toThrow('other was not measured');
  });
});

describe('a run', () => {
  test('measures one slice of each subject and of the twin in each round, in a new order', async () => {
    const orders: string[][] = [];
    let order: string[] = [];
    const subject = (name: string): Subject => ({
      name,
      slice: async (durationMs) => {
        if (durationMs === 100) order.push(name);
        return slice(1);
      },
    });
    const onRound = () => {
      orders.push(order);
      order = [];
    };
    const run = await runPaired([subject('a'), subject('b')], { rounds: 40, sliceMs: 100, warmUpMs: 5, onRound });
    expect(run.baseName).toBe('a');
    for (const round of run.rounds) expect([...round.keys()].toSorted()).toEqual([twinName, 'a', 'b']);
    for (const each of orders) expect(each.toSorted()).toEqual(['a', 'a', 'b']);
    expect(new Set(orders.map((each) => each.join())).size).toBe(3);
  });
});

describe('a quantile', () => {
  test('is between the least and the greatest value, and at 0.5 is the median', () => {
    const values = fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { minLength: 1 });
    fc.assert(
      fc.property(values, fc.double({ min: 0, max: 1, noNaN: true }), (list, q) => {
        const found = quantile(list, q);
        expect(found).toBeGreaterThanOrEqual(Math.min(...list) - 1e-6);
        expect(found).toBeLessThanOrEqual(Math.max(...list) + 1e-6);
      }),
    );
    expect(quantile([3, 1, 2], 0.5)).toBe(2);
    expect(quantile([1, 2], 0.25)).toBe(1.25);
  });
});

describe('a finding', () => {
  const name = 'HTTP upstream against R0, 1 in flight, p50';
  test.each([
    [2.4, 'stretch'],
    [3.2, 'met'],
    [3.3, 'missed'],
  ])('of %d with targets of at most 3.2 and 2.5 is %s', (value, verdict) => {
    expect(withVerdict({ name, unit: 'x', value, twin: 1 }).verdict).toBe(verdict);
  });

  test.each([
    [0.89, true],
    [0.9, false],
    [1.1, false],
    [1.11, true],
  ])('whose twin is %d is void: %s', (twin, expected) => {
    expect(isVoid({ twin })).toBe(expected);
    expect(withVerdict({ name, unit: 'x', value: 1, twin }).verdict).toBe(expected ? 'void' : 'stretch');
  });

  test('has the twin of the same rounds', () => {
    const run = runOf({ base: slice(1), other: slice(3), [twinName]: slice(2) });
    expect(ratioFinding(run, { name, measure: 'p50', subject: 'other' })).toMatchObject({
      value: 3,
      twin: 2,
      verdict: 'void',
    });
  });
});
