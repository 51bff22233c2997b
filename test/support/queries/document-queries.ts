/** Reads queries from documents: fenced Markdown blocks in PromQL, LogQL or TraceQL. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Store } from './board.ts';

/** A query and its heading. */
export interface DocumentQuery {
  place: string;
  store: Store;
  text: string;
}

const stores: Readonly<Record<string, Store>> = { promql: 'prometheus', logql: 'loki', traceql: 'tempo' };

/** Reads the queries of a document. `path` is relative to the root of the repository. */
export function documentQueries(path: string): DocumentQuery[] {
  const text = readFileSync(fileURLToPath(new URL(`../../../${path}`, import.meta.url)), 'utf8');
  let heading = '';
  return [...text.matchAll(/^## ([^\n]+)$|^```(\w+)\n(.*?)\n```$/gms)].flatMap(
    ([, title, language = '', query = '']) => {
      if (title !== undefined) heading = title;
      const store = stores[language];
      return store === undefined ? [] : [{ place: `${path}: ${heading}`, store, text: query }];
    },
  );
}
