/**
 * The static embedding model: word-piece vectors from a file of the repository, read offline.
 * models/README.md describes the file, its origin and its licences.
 */
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { inTimeSlices } from '../../flow/time-slices.ts';
import { wordPieces } from './word-pieces.ts';

/** A loaded model. */
export interface StaticModel {
  readonly name: string;
  readonly dimensions: number;
  /** Reads the vocabulary in slices of the event loop. Without it, the first text reads it at once. */
  prepare(): Promise<void>;
  /** The rows of a text's word pieces, in order. */
  piecesOf(text: string): number[];
  /** The unit vector of a query: the sum over all its pieces. Undefined where no piece is known. */
  queryVector(query: string): Float32Array | undefined;
  /**
   * The unit vector of a tool's text `name: description`: its name and first sentence with half the weight of the whole,
   * where a piece that occurs n times counts sqrt(n). Undefined where no piece is known.
   */
  documentVector(text: string): Float32Array | undefined;
}

const headerSchema = z.object({
  name: z.string(),
  dimensions: z.int().min(2).multipleOf(2),
  tokens: z.int().min(1),
  bits: z.literal(4),
  vocabularyBytes: z.int().min(1),
});

const magic = 'HSE1';

/**
 * Loads a model. Its vocabulary is read before the first text, in some 15 ms, so that a start does not wait for it.
 * @throws Error where the file is not a model of this format
 */
export function loadStaticModel(file: string | URL): StaticModel {
  const bytes = readFileSync(file);
  if (bytes.toString('latin1', 0, 4) !== magic) throw new Error(`${file}: is not a static model (${magic})`);
  const headerBytes = bytes.readUInt32LE(4);
  const { name, dimensions, tokens, vocabularyBytes } = headerSchema.parse(
    JSON.parse(bytes.toString('utf8', 8, 8 + headerBytes)),
  );
  const vocabularyStart = 8 + headerBytes;
  const scalesStart = Math.ceil((vocabularyStart + vocabularyBytes) / 4) * 4;
  const rowsStart = scalesStart + 4 * tokens;
  if (bytes.length !== rowsStart + (tokens * dimensions) / 2) throw new Error(`${file}: has the wrong length`);
  const vocabulary = createVocabulary(() =>
    bytes.toString('latin1', vocabularyStart, vocabularyStart + vocabularyBytes),
  );
  const piecesOf = (text: string) => wordPieces(text, vocabulary.complete());
  const rows = bytes.subarray(rowsStart);
  const add = (sum: Float64Array, row: number, weight: number) =>
    addRow(sum, rows, { row, factor: weight * bytes.readFloatLE(scalesStart + 4 * row) });
  const sumOf = (pieceRows: readonly number[]) => {
    const sum = new Float64Array(dimensions);
    for (const row of pieceRows) add(sum, row, 1);
    return sum;
  };
  const partOf = (text: string) => unit(sumOf(piecesOf(text)));
  return {
    name,
    dimensions,
    prepare: vocabulary.prepare,
    piecesOf,
    queryVector: (query) => rounded(partOf(query)),
    documentVector: (text) => {
      const all = new Float64Array(dimensions);
      for (const [row, count] of counted(piecesOf(text))) add(all, row, Math.sqrt(count));
      const { head, sentence } = partsOf(text);
      const sum = new Float64Array(dimensions);
      for (const [part, weight] of [
        [partOf(head), 0.5],
        [partOf(sentence), 0.5],
        [unit(all), 1],
      ] as const) {
        for (let at = 0; at < dimensions && part !== undefined; at += 1)
          sum[at] = (sum[at] ?? 0) + weight * (part[at] ?? 0);
      }
      return rounded(unit(sum));
    },
  };
}

/** The number of pieces that are read in one step: less than 1 ms. */
const stepPieces = 1_000;

/** The row of each word piece, read in steps. `source` is called once; its text has one piece a line. */
function createVocabulary(source: () => string) {
  const rows = new Map<string, number>();
  const steps = read();
  function* read(): Generator<void, void> {
    const text = source();
    for (let row = 0, start = 0, end = 0; end >= 0; row += 1, start = end + 1) {
      end = text.indexOf('\n', start);
      rows.set(text.slice(start, end < 0 ? undefined : end), row);
      if (row % stepPieces === stepPieces - 1) yield;
    }
  }
  return {
    prepare: () => inTimeSlices(steps),
    complete: (): ReadonlyMap<string, number> => {
      while (steps.next().done !== true);
      return rows;
    },
  };
}

/** The name before the first `: `, and the first sentence of the description behind it, or all of it. */
function partsOf(text: string): { head: string; sentence: string } {
  const at = text.indexOf(': ');
  const head = at < 0 ? text : text.slice(0, at);
  const description = at < 0 ? '' : text.slice(at + 2);
  return { head, sentence: /^(.{15,}?[.!?\n])(?:\s|$)/s.exec(description)?.[1] ?? description };
}

function counted(rows: readonly number[]): Map<number, number> {
  const counts = new Map<number, number>();
  for (const row of rows) counts.set(row, (counts.get(row) ?? 0) + 1);
  return counts;
}

/** Adds a row of signed 4-bit numbers: the low half of a byte is the even dimension, the high half the odd one. */
function addRow(sum: Float64Array, rows: Uint8Array, { row, factor }: { row: number; factor: number }): void {
  const rowBytes = sum.length / 2;
  const start = row * rowBytes;
  for (let at = 0; at < rowBytes; at += 1) {
    const byte = rows[start + at] ?? 0;
    sum[2 * at] = (sum[2 * at] ?? 0) + factor * ((byte << 28) >> 28);
    sum[2 * at + 1] = (sum[2 * at + 1] ?? 0) + factor * ((byte << 24) >> 28);
  }
}

function unit(values: Float64Array): Float64Array | undefined {
  let squares = 0;
  for (let at = 0; at < values.length; at += 1) squares += (values[at] ?? 0) ** 2;
  if (squares === 0) return undefined;
  const length = Math.sqrt(squares);
  for (let at = 0; at < values.length; at += 1) values[at] = (values[at] ?? 0) / length;
  return values;
}

function rounded(values: Float64Array | undefined): Float32Array | undefined {
  return values && Float32Array.from(values);
}
