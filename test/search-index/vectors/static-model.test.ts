import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import expected from '../../../models/expected.json' with { type: 'json' };
import { similarity } from '../../../src/search-index/vectors/embeddings.ts';
import { createStaticEmbeddings, staticModelFile } from '../../../src/search-index/vectors/embeddings-static.ts';
import { loadStaticModel } from '../../../src/search-index/vectors/static-model.ts';
import { wordPieces } from '../../../src/search-index/vectors/word-pieces.ts';

const model = loadStaticModel(staticModelFile);
const vocabulary = new Map(
  [...new Set([...expected.queries, ...expected.tools].flatMap(({ pieces }) => pieces))].map((piece, row) => [
    piece,
    row,
  ]),
);

/** Half of the fifth decimal, with the rounding of the expected value. */
const tolerance = 0.5e-5 + 1e-9;

function expectClose(vector: Float32Array | undefined, values: readonly number[]): void {
  for (const [at, value] of values.entries()) {
    expect(Math.abs((vector?.[at] ?? Number.NaN) - value)).toBeLessThanOrEqual(tolerance);
  }
}

describe('the model file', () => {
  test('is the one that models/README.md names by its digest', async () => {
    const digest = createHash('sha256')
      .update(await readFile(staticModelFile))
      .digest('hex');
    expect(await readFile(new URL('README.md', staticModelFile), 'utf8')).toContain(`${digest}  static-256-int4.bin`);
  });
});

describe('a vocabulary that is read in slices', () => {
  test('is complete for a text that does not wait for it, and afterwards', async () => {
    const sliced = loadStaticModel(staticModelFile);
    const reading = sliced.prepare();
    for (const { text, vector } of expected.queries) expectClose(sliced.queryVector(text), vector ?? []);
    await Promise.all([reading, sliced.prepare()]);
    for (const { text } of expected.queries) expect(sliced.piecesOf(text)).toEqual(model.piecesOf(text));
  });
});

describe('the pieces of a text', () => {
  test.each(expected.queries)('$text', ({ text, pieces }) => {
    // Words with pieces that no other text has are unknown to this small vocabulary, but not to the model's.
    const rows = wordPieces(text, vocabulary);
    expect(rows).toEqual(pieces.map((piece) => vocabulary.get(piece)));
    expect(model.piecesOf(text)).toHaveLength(pieces.length);
  });

  test('have no control characters, accents or case', () => {
    expect(model.piecesOf('CAF\u00c9\u0000 \u200bCafe')).toEqual(model.piecesOf('cafe cafe'));
  });

  test('leave out a word of over 100 characters, and no other', () => {
    expect(model.piecesOf(`${'a'.repeat(101)} file`)).toEqual(model.piecesOf('file'));
    expect(model.piecesOf(`${'a'.repeat(100)} file`).length).toBeGreaterThan(1);
  });
});

describe('the vectors', () => {
  test.each(expected.queries)('of the query "$text" are the expected ones', ({ text, vector }) => {
    const found = model.queryVector(text);
    expect(found === undefined).toBe(vector === null);
    expectClose(found, vector ?? []);
  });

  test.each(expected.tools)('of the tool "$text" are the expected ones', ({ text, vector, asOneSum }) => {
    expectClose(model.documentVector(text), vector);
    expectClose(model.queryVector(text), asOneSum ?? []);
  });

  test('of each query and each tool have the expected cosine', () => {
    expected.cosines.forEach((row, at) => {
      const query = model.queryVector(expected.queries[at]?.text ?? '');
      row.forEach((cosine, column) => {
        const tool = model.documentVector(expected.tools[column]?.text ?? '');
        if (query === undefined || tool === undefined) expect(cosine).toBeNull();
        else expect(Math.abs(similarity(query, tool) - (cosine ?? Number.NaN))).toBeLessThanOrEqual(tolerance);
      });
    });
  });
});

describe('embeddings by the model', () => {
  const embeddings = createStaticEmbeddings();

  test('are unit vectors, and zeros for a text without a known piece', async () => {
    const [known, unknown] = await embeddings.embed(['read a file', '新建一个文件夹'], 'document');
    expect(Math.hypot(...(known ?? []))).toBeCloseTo(1, 5);
    expect(unknown?.every((value) => value === 0)).toBe(true);
  });

  test('of a query in another language are zeros, so that the search uses words', async () => {
    const queries = ['wie ist das Wetter in Berlin', 'envía un correo a la directora', 'how is the weather in Berlin'];
    const vectors = await embeddings.embed(queries, 'query');
    expect(vectors.map((vector) => vector.some((value) => value !== 0))).toEqual([false, false, true]);
  });
});

describe('a damaged file', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'hestia-model-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  test.each([
    [
      'another file',
      (bytes: Buffer) => Buffer.concat([Buffer.from('GGUF'), bytes.subarray(4)]),
      'is not a static model',
    ],
    ['a file that was cut off', (bytes: Buffer) => bytes.subarray(0, -1), 'has the wrong length'],
  ])('such as %s is refused by name', async (_kind, damage, message) => {
    const file = join(folder, 'damaged.bin');
    await writeFile(file, damage(await readFile(staticModelFile)));
    expect(() => loadStaticModel(file)).toThrow(`${file}: ${message}`);
  });
});
