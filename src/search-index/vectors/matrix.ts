/**
 * A matrix of vectors of one length, and the dot products of a query with all its rows.
 * The kernel uses WebAssembly's SIMD, four numbers at a time, or plain TypeScript if that is not supported.
 */
import { similarity } from './embeddings.ts';
import { vectorKernelBase64 } from './kernel.ts';

/** The matrix. Rows are added at the end. The last row takes the place of a removed one. */
export interface VectorMatrix {
  /** The number of rows. */
  count(): number;
  /** Adds a vector as the last row. @throws RangeError for another length, numbers that are not finite, or no memory */
  add(vector: Float32Array): void;
  /** Replaces a row. @throws RangeError as `add` does */
  set(row: number, vector: Float32Array): void;
  /** Removes a row by moving the last row to its place. */
  remove(row: number): void;
  /**
   * The dot product with each row, within 1e-5 for unit vectors. The next call overwrites the result.
   * @throws RangeError as `add` does
   */
  products(query: Float32Array): Float32Array;
}

/** Growable memory and the multiplication over it. The memory starts with the query, followed by the rows. */
export interface VectorKernel {
  buffer(): ArrayBufferLike;
  /** Grows the memory and keeps its content. @throws RangeError if no more memory is available */
  reserve(bytes: number): void;
  /** Writes the dot product of the query with each row to `scoresAt`. All lengths are in bytes. */
  multiply(range: { end: number; rowBytes: number; scoresAt: number }): void;
}

/** A row's length in bytes is a multiple of this, which the kernel reads in one step. Rows are padded with zeros. */
const stepBytes = 64;
const rowsMin = 16;

/** Creates an empty matrix. */
export function createVectorMatrix(dimensions: number, kernel: VectorKernel = createVectorKernel()): VectorMatrix {
  const rowBytes = Math.max(1, Math.ceil((dimensions * 4) / stepBytes)) * stepBytes;
  let capacity = 0;
  let count = 0;
  const at = (row: number) => (row + 1) * rowBytes;
  const view = (offset: number, length: number) => new Float32Array(kernel.buffer(), offset, length);

  function checked(vector: Float32Array): Float32Array {
    if (vector.length !== dimensions)
      throw new RangeError(`the vector has ${vector.length} numbers, not ${dimensions}`);
    if (!vector.every(Number.isFinite)) throw new RangeError('the vector has numbers that are not finite');
    return vector;
  }

  function reserve(rows: number): void {
    if (rows <= capacity) return;
    const wanted = Math.max(rowsMin, Math.ceil(rows * 1.5));
    kernel.reserve(at(wanted) + wanted * 4);
    capacity = wanted;
  }

  return {
    count: () => count,
    add(vector) {
      checked(vector);
      reserve(count + 1);
      // Scores may have been written there, and the padding must be zeros.
      view(at(count), rowBytes / 4).fill(0);
      view(at(count), dimensions).set(vector);
      count += 1;
    },
    set: (row, vector) => view(at(row), dimensions).set(checked(vector)),
    remove(row) {
      count -= 1;
      if (row !== count) view(at(row), dimensions).set(view(at(count), dimensions));
    },
    products(query) {
      reserve(1);
      view(0, dimensions).set(checked(query));
      kernel.multiply({ end: at(count), rowBytes, scoresAt: at(capacity) });
      return view(at(capacity), count);
    },
  };
}

/** The fastest kernel that this machine supports. */
function createVectorKernel(): VectorKernel {
  return createSimdKernel() ?? createPlainKernel();
}

/** The kernel in plain TypeScript, for machines without SIMD. The tests compare the other one with it. */
export function createPlainKernel(): VectorKernel {
  let buffer = new ArrayBuffer(0);
  return {
    buffer: () => buffer,
    reserve(bytes) {
      buffer = buffer.transfer(bytes);
    },
    multiply({ end, rowBytes, scoresAt }) {
      const numbers = rowBytes / 4;
      const query = new Float32Array(buffer, 0, numbers);
      const rows = new Float32Array(buffer, rowBytes, end / 4 - numbers);
      const scores = new Float32Array(buffer, scoresAt, rows.length / numbers);
      for (let row = 0; row < scores.length; row += 1) {
        scores[row] = similarity(query, rows.subarray(row * numbers, (row + 1) * numbers));
      }
    },
  };
}

const pageBytes = 65_536;

/** The part of WebAssembly that is used, and the exports of our module. Node's types have neither. */
declare const WebAssembly: {
  Module: new (bytes: Uint8Array) => object;
  Instance: new (
    module: object,
  ) => {
    exports: {
      memory: { buffer: ArrayBuffer; grow(pages: number): number };
      multiply(row: number, end: number, rowBytes: number, scores: number): void;
    };
  };
};

/**
 * The kernel in WebAssembly; undefined if this Node.js does not support its SIMD or may not compile it.
 * @throws RangeError if no memory is available
 */
export function createSimdKernel(): VectorKernel | undefined {
  const module = compiled();
  if (module === undefined) return undefined;
  const { memory, multiply } = new WebAssembly.Instance(module).exports;
  return {
    buffer: () => memory.buffer,
    reserve(bytes) {
      const missing = bytes - memory.buffer.byteLength;
      if (missing > 0) memory.grow(Math.ceil(missing / pageBytes));
    },
    multiply: ({ end, rowBytes, scoresAt }) => multiply(rowBytes, end, rowBytes, scoresAt),
  };
}

const compiled = compiledOnce();

/** Compiles the module at the first use, once for the process. */
function compiledOnce(): () => object | undefined {
  let module: object | undefined;
  let isTried = false;
  return () => {
    if (isTried) return module;
    isTried = true;
    try {
      module = new WebAssembly.Module(Buffer.from(vectorKernelBase64, 'base64'));
    } catch {
      module = undefined;
    }
    return module;
  };
}
