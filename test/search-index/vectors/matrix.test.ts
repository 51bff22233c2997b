import { array, assert, constant, double, integer, nat, oneof, property, record, sample, tuple } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { similarity, unitVector } from '../../../src/search-index/vectors/embeddings.ts';
import { createPlainKernel, createSimdKernel, createVectorMatrix } from '../../../src/search-index/vectors/matrix.ts';

/** The rounding error of 32-bit floats in the product of unit vectors. */
const tolerance = 1e-5;

const simd = () => {
  const kernel = createSimdKernel();
  if (kernel === undefined) throw new Error('this Node has no WebAssembly with SIMD');
  return kernel;
};

/** Vectors of one length, including zero vectors, and changes to them afterwards. */
const cases = integer({ min: 1, max: 130 }).chain((dimensions) => {
  // Squares of numbers below 1e-160 are lost, and vectors scaled by them do not have length 1.
  const number = integer({ min: -1_000_000, max: 1_000_000 });
  const unit = array(number, { minLength: dimensions, maxLength: dimensions }).map(
    (values) => unitVector(values) ?? new Float32Array(dimensions),
  );
  const vector = oneof(
    { weight: 9, arbitrary: unit },
    { weight: 1, arbitrary: constant(new Float32Array(dimensions)) },
  );
  const change = oneof(record({ remove: nat(1_000) }), record({ set: nat(1_000), vector }), record({ add: vector }));
  return tuple(constant(dimensions), array(vector, { maxLength: 40 }), array(change, { maxLength: 20 }), vector);
});

type Change = { remove: number } | { set: number; vector: Float32Array } | { add: Float32Array };

/** Applies the changes to the matrix and returns the expected rows. */
function changed(matrix: ReturnType<typeof createVectorMatrix>, vectors: Float32Array[], changes: Change[]) {
  const rows = [...vectors];
  for (const vector of vectors) matrix.add(vector);
  for (const change of changes) {
    if ('add' in change) {
      rows.push(change.add);
      matrix.add(change.add);
      continue;
    }
    if (rows.length === 0) continue;
    const row = ('set' in change ? change.set : change.remove) % rows.length;
    if ('set' in change) {
      rows[row] = change.vector;
      matrix.set(row, change.vector);
      continue;
    }
    const last = rows.pop();
    if (last !== undefined && row < rows.length) rows[row] = last;
    matrix.remove(row);
  }
  return rows;
}

const kernels = { 'in plain TypeScript': createPlainKernel, 'in WebAssembly': simd };

describe.each(Object.entries(kernels))('a matrix %s', (_, kernel) => {
  test('returns the cosine of each row, for any length and after any changes', () => {
    assert(
      property(cases, ([dimensions, vectors, changes, query]) => {
        const matrix = createVectorMatrix(dimensions, kernel());
        const rows = changed(matrix, vectors, changes);
        const products = [...matrix.products(query)];
        expect(products).toHaveLength(rows.length);
        for (const [row, vector] of rows.entries()) {
          expect(Math.abs((products[row] ?? Number.NaN) - similarity(query, vector))).toBeLessThan(tolerance);
        }
      }),
      { numRuns: 200 },
    );
  });

  test('refuses invalid vectors and is not changed by them', () => {
    const matrix = createVectorMatrix(3, kernel());
    matrix.add(Float32Array.of(1, 0, 0));
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => matrix.add(Float32Array.of(0, bad, 0))).toThrow('numbers that are not finite');
      expect(() => matrix.set(0, Float32Array.of(0, bad, 0))).toThrow('numbers that are not finite');
      expect(() => matrix.products(Float32Array.of(0, bad, 0))).toThrow('numbers that are not finite');
    }
    expect(() => matrix.add(Float32Array.of(1, 0))).toThrow('the vector has 2 numbers, not 3');
    expect([...matrix.products(Float32Array.of(1, 0, 0))]).toEqual([1]);
  });

  test('has no products while it is empty', () => {
    expect(createVectorMatrix(5, kernel()).products(new Float32Array(5))).toHaveLength(0);
  });
});

describe('both kernels over many rows', () => {
  test.each([1, 15, 16, 17, 384])('give the same order, at length %i', (dimensions) => {
    const numbers = sample(double({ min: -1, max: 1, noNaN: true }), { numRuns: 301 * dimensions, seed: dimensions });
    const vectors = Array.from(
      { length: 301 },
      (_, at) => unitVector(numbers.slice(at * dimensions, (at + 1) * dimensions)) ?? new Float32Array(dimensions),
    );
    const query = vectors.pop() ?? new Float32Array();
    const [plain, fast] = [createPlainKernel(), simd()].map((kernel) => {
      const matrix = createVectorMatrix(dimensions, kernel);
      for (const vector of vectors) matrix.add(vector);
      return [...matrix.products(query)];
    });
    const order = fast?.map((_, row) => row).sort((one, other) => (fast[other] ?? 0) - (fast[one] ?? 0)) ?? [];
    for (const [place, row] of order.slice(1).entries()) {
      // Rows that are closer than the tolerance may change places.
      expect(plain?.[row]).toBeLessThan((plain?.[order[place] ?? 0] ?? 0) + tolerance);
    }
    expect(order).toHaveLength(300);
  });
});
