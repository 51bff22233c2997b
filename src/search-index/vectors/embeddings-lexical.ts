/**
 * SearchIndex without a model: words and pieces of words, hashed. They see spelling, not meaning; they let a vector store
 * be filled and asked offline.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { toolTerms } from '../words/terms.ts';
import { type Embeddings, unitVector } from './embeddings.ts';

/** Length of the vectors: 512 was measured to tell 399 real tools apart about as well as 1,024. */
const dimensions = 512;
/** A piece of a word counts less than the word, which it stands in for where a letter is wrong. */
const pieceWeight = 0.3;
const pieceLength = 3;

/** Texts made into vectors before others get their turn: about 4 ms (0.27 ms a tool, measured). */
const turnTexts = 16;

/** Makes the built-in vectors. */
export function createLexicalEmbeddings(): Embeddings {
  return {
    model: `words-${dimensions}`,
    hasMeaning: false,
    async embed(texts) {
      const vectors: Float32Array[] = [];
      for (const text of texts) {
        if (vectors.length % turnTexts === turnTexts - 1) await nextTurn();
        vectors.push(lexicalVector(text));
      }
      return vectors;
    },
  };
}

function lexicalVector(text: string): Float32Array {
  const counts = new Map<string, number>();
  for (const term of toolTerms(text)) {
    add(counts, term, 1);
    const framed = `<${term}>`;
    for (let at = 0; at + pieceLength <= framed.length; at += 1) {
      add(counts, `#${framed.slice(at, at + pieceLength)}`, pieceWeight);
    }
  }
  const values = new Float32Array(dimensions);
  for (const [feature, count] of counts) {
    const hash = hashOf(feature);
    const at = hash % dimensions;
    // The sign keeps features that meet in one place from adding up (Weinberger et al., Feature Hashing, ICML 2009).
    values[at] = (values[at] ?? 0) + (hash & 0x80000000 ? -1 : 1) * Math.log1p(count);
  }
  return unitVector(values) ?? nothing;
}

/** What a text without any word is: unlike all others, yet a vector that a store takes. */
const nothing = Float32Array.from({ length: dimensions }, () => 1 / Math.sqrt(dimensions));

function add(counts: Map<string, number>, feature: string, weight: number): void {
  counts.set(feature, (counts.get(feature) ?? 0) + weight);
}

// FNV-1a, 32 bits (Fowler, Noll and Vo), over UTF-16 units.
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193) >>> 0;
  return hash;
}
