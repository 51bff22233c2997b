/** The key of a query: its content words, by which the outcome memory recognises similar queries. */

import { isFunctionWord, textWords } from '../../search-index/words/tokenizer.ts';

/** The longest key, in characters. Longer ones are truncated. */
const keyLengthMax = 500;

/**
 * The key of a query: its distinct content words in alphabetical order, without literals and function words; undefined if there
 * are none. Words are not stemmed, since "keys" asks for a list and "key" for one. Literals are texts in angle brackets or
 * quotation marks, addresses, ids and numbers.
 */
export function queryKey(query: string): string | undefined {
  const { words } = textWords(query.replace(literals, ' '));
  const contentWords = words.map(({ form }) => form).filter((form) => !isFunctionWord(form) && !/^\p{N}+$/u.test(form));
  const distinct = [...new Set(contentWords)].sort();
  return distinct.length === 0 ? undefined : distinct.join(' ').slice(0, keyLengthMax);
}

const literals =
  /<[^<>]{1,200}>|"[^"]{0,500}"|“[^”]{0,500}”|`[^`]{0,500}`|\b[a-z][a-z0-9+.-]{1,20}:\/\/\S+|\S+@\S+\.\S+|\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/giu;
