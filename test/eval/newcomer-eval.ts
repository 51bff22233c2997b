/** The measurement of newcomers' requests: whether the right tool is found, and whether other languages are left alone. */
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
  const servers = await newcomerTools();
  const index = await createEvalIndex(servers, scoring);
  const words = await createEvalIndex(servers, 'words');
  const search = async (query: string, of = index) =>
    (await of.search({ query, limit: 10, namespace: 'default' })).found.map(({ tool }) => tool.definition.toolName);
  const counts = { first: 0, inThree: 0, unanswered: 0, foreignAnswered: 0 };
  for (const { text, tools } of newcomerRequests) {
    const found = await search(text);
    const place = found.findIndex((name) => tools.includes(name));
    if (place === 0) counts.first += 1;
    if (place >= 0 && place < 3) counts.inThree += 1;
    if (found.length === 0) counts.unanswered += 1;
  }
  for (const text of foreignRequests) {
    const isFilled = (await search(text)).length > 0 && (await search(text, words)).length === 0;
    if (isFilled) counts.foreignAnswered += 1;
  }
  return { requests: newcomerRequests.length, foreignRequests: foreignRequests.length, ...counts };
}
