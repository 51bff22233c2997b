/**
 * Embeddings without a model: hashed words and character trigrams (feature hashing).
 * They represent spelling, not meaning, and make a vector store usable offline.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { textStems } from '../words/tokenizer.ts';
import { type Embeddings, unitVector } from './embeddings.ts';

/** Length of the vectors. Measured: 512 distinguishes 399 real tools about as well as 1,024. */
const dimensions = 512;
/** The weight of a trigram relative to its word. Trigrams match words that differ in a letter. */
const trigramWeight = 0.3;
const trigramLength = 3;

/** The number of texts embedded before the event loop runs other work: about 4 ms (0.27 ms a tool, measured). */
const sliceTexts = 16;

/** Creates the embeddings by hashed words. */
export function createLexicalEmbeddings(): Embeddings {
  return {
    model: `words-${dimensions}`,
    hasMeaning: false,
    async embed(texts) {
      const vectors: Float32Array[] = [];
      for (const text of texts) {
        if (vectors.length % sliceTexts === sliceTexts - 1) await nextTurn();
        vectors.push(lexicalVector(text));
      }
      return vectors;
    },
  };
}

function lexicalVector(text: string): Float32Array {
  const counts = new Map<string, number>();
  for (const term of textStems(text)) {
    add(counts, term, 1);
    const framed = `<${term}>`;
    for (let at = 0; at + trigramLength <= framed.length; at += 1) {
      add(counts, `#${framed.slice(at, at + trigramLength)}`, trigramWeight);
    }
  }
  const values = new Float32Array(dimensions);
  for (const [feature, count] of counts) {
    const hash = hashOf(feature);
    const at = hash % dimensions;
    // The sign makes colliding features cancel out on average (Weinberger et al., Feature Hashing, ICML 2009).
    values[at] = (values[at] ?? 0) + (hash & 0x80000000 ? -1 : 1) * Math.log1p(count);
  }
  return unitVector(values) ?? wordlessVector;
}

/** The vector of a text without words: similar to no other, yet valid for a store. */
const wordlessVector = Float32Array.from({ length: dimensions }, () => 1 / Math.sqrt(dimensions));

function add(counts: Map<string, number>, feature: string, weight: number): void {
  counts.set(feature, (counts.get(feature) ?? 0) + weight);
}

// FNV-1a, 32 bits (Fowler, Noll and Vo), over UTF-16 units.
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193) >>> 0;
  return hash;
}
