/** The measurement of newcomers' requests: whether the right tool is found, and whether other languages are left alone. */
import { matchTools } from '../../src/domain/search/match.ts';
import { createOutcomeMemory } from '../../src/domain/search/outcome-memory.ts';
import { createEvalIndex, type EvalScoring } from './eval-index.ts';
import { foreignRequests, newcomerRequests } from './newcomer-requests.ts';
import { newcomerTools } from './newcomer-tools.ts';

/** Counts of requests. */
export interface NewcomerCounts {
  requests: number;
  first: number;
  inThree: number;
  unanswered: number;
  /** Requests in other languages that are answered, beyond those that words answer. */
  foreignRequests: number;
  foreignAnswered: number;
}

/** Measures with the real example servers. */
export async function measureNewcomers(scoring: EvalScoring): Promise<NewcomerCounts> {
  const listed = await newcomerTools();
  const memory = createOutcomeMemory();
  const searchBy = async (by: EvalScoring) => {
    const [toolIndex, offerIndex] = [await createEvalIndex(listed.tools, by), await createEvalIndex(listed.offers, by)];
    const request = { namespace: 'default', keyId: 'newcomer', at: 0 };
    return async (query: string) =>
      (await matchTools({ toolIndex, offerIndex, memory }, { ...request, query })).ranked
        .slice(0, 10)
        .map(({ tool }) => tool.definition.toolName);
  };
  const search = await searchBy(scoring);
  const searchWords = await searchBy('words');
  const counts = { first: 0, inThree: 0, unanswered: 0, foreignAnswered: 0 };
  for (const { text, tools } of newcomerRequests) {
    const found = await search(text);
    const place = found.findIndex((name) => tools.includes(name));
    if (place === 0) counts.first += 1;
    if (place >= 0 && place < 3) counts.inThree += 1;
    if (found.length === 0) counts.unanswered += 1;
  }
  for (const text of foreignRequests) {
    const isFilled = (await search(text)).length > 0 && (await searchWords(text)).length === 0;
    if (isFilled) counts.foreignAnswered += 1;
  }
  return { requests: newcomerRequests.length, foreignRequests: foreignRequests.length, ...counts };
}
