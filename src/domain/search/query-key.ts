/** What two requests have in common when they ask for the same: their content words, without grammar and literals. Pure. */
import { isFunctionWord, textWords } from '../../search-index/words/tokenizer.ts';

/** Characters of a key; longer requests agree by their beginning in alphabetical order. */
const keyLengthMax = 500;

/**
 * The key of a request, undefined where nothing but literals and grammar is left. Words keep their form, since "keys"
 * asks for a list and "key" for one. Literals are in angle brackets or quotation marks, or are addresses, ids, numbers.
 */
export function queryKey(query: string): string | undefined {
  const { words } = textWords(query.replace(literals, ' '));
  const telling = words.map(({ form }) => form).filter((form) => !isFunctionWord(form) && !/^\p{N}+$/u.test(form));
  const distinct = [...new Set(telling)].sort();
  return distinct.length === 0 ? undefined : distinct.join(' ').slice(0, keyLengthMax);
}

const literals =
  /<[^<>]{1,200}>|"[^"]{0,500}"|“[^”]{0,500}”|`[^`]{0,500}`|\b[a-z][a-z0-9+.-]{1,20}:\/\/\S+|\S+@\S+\.\S+|\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/giu;
