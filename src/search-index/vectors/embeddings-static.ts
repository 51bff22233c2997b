/** Embeddings by the static model of the repository: the default, offline, in microseconds a text. */
import { createTimeSlices } from '../../flow/time-slices.ts';
import type { Embeddings } from './embeddings.ts';
import { isForeignQuery } from './query-language.ts';
import { loadStaticModel } from './static-model.ts';

/** The model's file; models/README.md has its origin and licences. */
export const staticModelFile = new URL('../../../models/static-256-int4.bin', import.meta.url);

/** Opens the model. @throws Error where the file is missing or damaged */
export function createStaticEmbeddings(file = staticModelFile): Embeddings {
  const model = loadStaticModel(file);
  const noMeaning = new Float32Array(model.dimensions);
  const piecesCount = (words: string) => model.piecesOf(words).length;
  const queryVector = (query: string) => (isForeignQuery(query, piecesCount) ? undefined : model.queryVector(query));
  return {
    model: model.name,
    async embed(texts, purpose) {
      await model.prepare();
      const slice = createTimeSlices();
      const vectors: Float32Array[] = [];
      for (const text of texts) {
        await slice();
        vectors.push((purpose === 'query' ? queryVector(text) : model.documentVector(text)) ?? noMeaning);
      }
      return vectors;
    },
  };
}
