/**
 * Generates the WebAssembly module of the vector search: the dot products of a query with many rows.
 * One function multiplies four numbers at a time. The module follows the WebAssembly specification 2.0, chapter 5 (binary
 * format). Tests compare it with the plain version.
 */

/** The module with `memory` and `multiply(row, end, rowBytes, scores)`. The query is at 0; rows have a multiple of 64 bytes. */
export function vectorKernelBytes(): Uint8Array {
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    ...section(1, [1, 0x60, 4, i32, i32, i32, i32, 0]),
    ...section(3, [1, 0]),
    // A memory of at least one page.
    ...section(5, [1, 0, 1]),
    ...section(7, [2, ...exported('memory', 2), ...exported('multiply', 0)]),
    ...section(10, [1, ...sized([...locals, ...rowLoop, end])]),
  ]);
}

/** The source file with the module in base64. */
export function vectorKernelFile(): string {
  const base64 = Buffer.from(vectorKernelBytes()).toString('base64');
  return [
    '/** The WebAssembly kernel of the vector search. Generated from test/generate/vector-kernel.ts; changes here are lost. */',
    '',
    '/** The WebAssembly module of the vector search, in base64. */',
    'export const vectorKernelBase64 =',
    `  '${base64}';`,
    '',
  ].join('\n');
}

const i32 = 0x7f;
const v128 = 0x7b;
const end = 0x0b;
const noResult = 0x40;

/** Local variables by name: four parameters, then the function's own. */
const local = { row: 0, end: 1, rowBytes: 2, scores: 3, at: 4, sums: [5, 6, 7, 8] } as const;
const locals = [2, 1, i32, local.sums.length, v128];

const get = (index: number) => [0x20, index];
const set = (index: number) => [0x21, index];
const constant = (value: number) => [0x41, ...signed(value)];
const addNumbers = 0x6a;
const addTo = (index: number, value: number) => [...get(index), ...constant(value), addNumbers, ...set(index)];
const isLess = 0x49;
const breakIf = (depth: number) => [0x0d, depth];
const loop = (body: readonly number[]) => [0x03, noResult, ...body, end];
const block = (body: readonly number[]) => [0x02, noResult, ...body, end];

/** SIMD instructions have a prefix. Loads and stores have an alignment, as a power of two, and an offset. */
const simd = (code: number, ...operands: number[]) => [0xfd, ...unsigned(code), ...operands];
const load = (offset: number) => simd(0x00, 4, ...unsigned(offset));
const addLanes = simd(0xe4);
const multiplyLanes = simd(0xe6);
const splatZero = [0x43, 0, 0, 0, 0, ...simd(0x13)];
const lane = (index: number) => [...get(local.sums[0]), ...simd(0x1f, index)];
const addFloats = 0x92;
const storeFloat = [0x38, 2, 0];

/** Sixteen numbers of row and query in four sums, so that additions are independent. */
const sixteen = local.sums.flatMap((sum, index) => [
  ...get(sum),
  ...get(local.row),
  ...load(16 * index),
  ...get(local.at),
  ...load(16 * index),
  ...multiplyLanes,
  ...addLanes,
  ...set(sum),
]);

const oneRow = [
  ...local.sums.flatMap((sum) => [...splatZero, ...set(sum)]),
  ...constant(0),
  ...set(local.at),
  ...loop([
    ...sixteen,
    ...addTo(local.row, 64),
    ...addTo(local.at, 64),
    ...get(local.at),
    ...get(local.rowBytes),
    isLess,
    ...breakIf(0),
  ]),
  ...get(local.sums[0]),
  ...local.sums.slice(1).flatMap((sum) => [...get(sum), ...addLanes]),
  ...set(local.sums[0]),
  ...get(local.scores),
  ...[...lane(0), ...lane(1), addFloats, ...lane(2), ...lane(3), addFloats, addFloats],
  ...storeFloat,
  ...addTo(local.scores, 4),
];

const isAtEnd = [...get(local.row), ...get(local.end), isLess, 0x45];
const rowLoop = block([...isAtEnd, ...breakIf(0), ...loop([...oneRow, ...isAtEnd, 0x45, ...breakIf(0)])]);

function section(id: number, content: readonly number[]): number[] {
  return [id, ...sized(content)];
}

function sized(content: readonly number[]): number[] {
  return [...unsigned(content.length), ...content];
}

function exported(name: string, kind: number): number[] {
  return [...sized([...Buffer.from(name)]), kind, 0];
}

/** Unsigned LEB128. */
function unsigned(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(value >>> 7)];
}

/** Signed LEB128. */
function signed(value: number): number[] {
  const isLast = value >= -0x40 && value < 0x40;
  return isLast ? [value & 0x7f] : [(value & 0x7f) | 0x80, ...signed(value >> 7)];
}
