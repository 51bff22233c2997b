/** The tables of figures in docs/search.md, drawn from docs/search-figures.json. */
import type { EvalSummary, Figure } from '../eval/search-eval-report.ts';

const begin = '<!-- figures: drawn from search-figures.json by `npm run generate` -->';
const end = '<!-- end of the figures -->';

/** The page with the tables between its marks replaced. @throws Error where the page has no marks */
export function withSearchFigures(page: string, summary: EvalSummary): string {
  const [before, rest] = page.split(begin);
  const after = rest?.split(end)[1];
  if (before === undefined || after === undefined) throw new Error('docs/search.md has no marks for the figures');
  const tables = [figureTable(summary), matchTable(summary), sizeSentence(summary)].join('\n\n');
  return `${before}${begin}\n\n${tables}\n\n${end}${after}`;
}

function figureTable({ figures }: EvalSummary): string {
  return [
    '| | measured | minimum | goal | |',
    '| --- | --- | --- | --- | --- |',
    ...figures.map((one) => {
      const { name, value, margin, must, goal } = one;
      return `| ${name} | ${value.toFixed(4)} ± ${margin.toFixed(4)} | ${must} | ${goal} | ${verdict(one)} |`;
    }),
  ].join('\n');
}

function verdict({ value, must, goal, isMost }: Figure): string {
  const reaches = (bound: number) => (isMost ? value <= bound : value >= bound);
  return reaches(goal) ? 'goal' : reaches(must) ? 'minimum' : '**missed**';
}

const scorings = {
  words: 'words alone',
  static: 'words and static model',
  endpoint: 'words and all-MiniLM-L6-v2',
} as const;

function matchTable({ statics }: EvalSummary): string {
  const subsets = [...new Set(statics.map(({ subset }) => subset))].toSorted();
  const present = (['words', 'static', 'endpoint'] as const).filter((scoring) =>
    statics.some((one) => one.scoring === scoring),
  );
  const cell = (subset: string, scoring: string) => {
    const found = statics.find((one) => one.subset === subset && one.scoring === scoring);
    if (found === undefined) return '';
    const { hit1, hit1Error, ndcg, ndcgError } = found;
    return `${interval(hit1, hit1Error)} · ${interval(ndcg, ndcgError)}`;
  };
  return [
    `| hit@1 · nDCG@10 | ${present.map((scoring) => scorings[scoring]).join(' | ')} |`,
    `| --- | ${present.map(() => '---').join(' | ')} |`,
    ...subsets.map((subset) => `| ${subset} | ${present.map((scoring) => cell(subset, scoring)).join(' | ')} |`),
  ].join('\n');
}

function sizeSentence({ size }: EvalSummary): string {
  if (size === undefined) return '';
  const { turnMsMax, moreThanWordsMib } = size;
  return `10,000 tools of one server: the longest turn of the event loop while they are indexed takes ${turnMsMax.cpu.toFixed(1)} ms of processor time; the index takes ${moreThanWordsMib.toFixed(1)} MiB more than words alone.`;
}

/** A mean over requests with its 95 % confidence interval. */
function interval(value: number, error: number): string {
  return `${value.toFixed(3)} ± ${(1.96 * error).toFixed(3)}`;
}
