/** The report of the search evaluation: means over the seeds, comparison with the targets, and a plot. */
import { z } from 'zod';
import type { SearchSize } from './search-eval-size.ts';
import type { SearchTimes } from './search-eval-times.ts';
import type { EvalPart } from './search-eval-work.ts';

/** A part and its result. */
export const measuredSchema = z.object({ part: z.custom<EvalPart>(), result: z.unknown() });

/** A part and its result. */
export type Measured = z.infer<typeof measuredSchema>;

const scores = z.object({ h1: z.number(), nd: z.number() });
const staticSchema = z.object({
  subset: z.string(),
  scoring: z.enum(['static', 'words', 'endpoint']),
  queries: z.number(),
  ndcg: z.number(),
  ndcgError: z.number(),
  hit1: z.number(),
  hit1Error: z.number(),
});
const stepSchema = z.object({ seen: scores, para: scores, cold: scores, seenNew: scores });
const liftSchema = z.object({
  base: z.object({ seen: scores, para: scores, cold: scores }),
  1: stepSchema,
  3: stepSchema,
  10: stepSchema,
});
const streamSchema = z.object({
  succ: z.number(),
  regret: z.number(),
  recPct: z.number(),
  recMed: z.number(),
  access: z.number(),
  flaky: z.number(),
  slow: z.number(),
});
const stateSchema = z.object({ e1: z.number(), nd: z.number() });
const poisonSchema = z.object({ before: stateSchema, hit: stateSchema, later: stateSchema });
const timesSchema = z.custom<SearchTimes>();
const sizeSchema = z.custom<SearchSize>();

/** A figure with its targets. `isMost`: lower is better. */
const figureSchema = z.object({
  name: z.string(),
  value: z.number(),
  /** Half of the 95 % confidence interval of the mean over the seeds (Student's t), or over the queries. */
  margin: z.number(),
  must: z.number(),
  goal: z.number(),
  isMost: z.boolean(),
});

/** A figure with its targets. */
export type Figure = z.infer<typeof figureSchema>;

/** The summary of all measurements, which is also the form of docs/search-figures.json. */
export const summarySchema = z.object({
  figures: z.array(figureSchema),
  /** hit@1 of repeated queries by the number of outcomes of each, for the agent itself and for a new one. */
  curve: z.array(z.object({ outcomes: z.number(), own: z.number(), newAgent: z.number() })),
  statics: z.array(staticSchema),
  times: timesSchema.optional(),
  size: sizeSchema.optional(),
});

/** The summary of all measurements. */
export type EvalSummary = z.infer<typeof summarySchema>;

/** Summarises the measurements by their means over the seeds. */
export function summaryOf(measured: readonly Measured[]): EvalSummary {
  const results = <Schema extends z.ZodType>(schema: Schema, isOf: (part: EvalPart) => boolean) =>
    measured.filter(({ part }) => isOf(part)).map(({ result }) => schema.parse(result));
  const statics = results(staticSchema, ({ kind }) => kind === 'static');
  const lifts = results(liftSchema, ({ kind }) => kind === 'lift');
  const streams = results(streamSchema, ({ kind }) => kind === 'stream');
  const withoutLearning = results(streamSchema, ({ kind }) => kind === 'stream without learning');
  const poisoned = (mode: string, principals: number) =>
    results(poisonSchema, (part) => part.kind === 'poison' && part.mode === mode && part.principals === principals);
  return {
    statics,
    figures: [
      ...staticFigures(statics),
      ...liftFigures(lifts),
      ...streamFigures(streams, withoutLearning),
      ...poisonFigures({
        one: poisoned('boost', 1),
        two: poisoned('boost', 2),
        three: poisoned('boost', 3),
        errors: poisoned('errors', 1),
      }),
    ].filter(({ value }) => !Number.isNaN(value)),
    curve: [
      { outcomes: 0, own: mean(lifts, (run) => run.base.seen.h1), newAgent: mean(lifts, (run) => run.base.seen.h1) },
      ...([1, 3, 10] as const).map((outcomes) => ({
        outcomes,
        own: mean(lifts, (run) => run[outcomes].seen.h1),
        newAgent: mean(lifts, (run) => run[outcomes].seenNew.h1),
      })),
    ],
    times: results(timesSchema, ({ kind }) => kind === 'times')[0],
    size: results(sizeSchema, ({ kind }) => kind === 'size')[0],
  };
}

const staticBars: Record<string, [must: number, goal: number]> = {
  'azure in 200': [0.925, 0.935],
  'toole in 199': [0.69, 0.705],
  'all in 399': [0.71, 0.725],
  'azure in 5,582': [0.91, 0.92],
};

function staticFigures(statics: EvalSummary['statics']): Figure[] {
  return statics
    .filter(({ scoring }) => scoring === 'static')
    .toSorted((one, other) => (one.subset < other.subset ? -1 : 1))
    .map(({ subset, ndcg, ndcgError }) => {
      const [must, goal] = staticBars[subset] ?? [0, 0];
      const name = `nDCG@10 of the text, ${subset}`;
      return { name, value: ndcg, margin: 1.96 * ndcgError, must, goal, isMost: false };
    });
}

function liftFigures(lifts: z.infer<typeof liftSchema>[]): Figure[] {
  const gain = (of: 'seen' | 'para' | 'cold') => (run: z.infer<typeof liftSchema>) => run[3][of].nd - run.base[of].nd;
  return [
    figure('hit@1 of seen requests after 1 outcome', lifts, (run) => run[1].seen.h1, [0.72, 0.74]),
    figure('hit@1 of seen requests after 3 outcomes', lifts, (run) => run[3].seen.h1, [0.775, 0.8]),
    figure('hit@1 of seen requests after 10 outcomes', lifts, (run) => run[10].seen.h1, [0.8, 0.83]),
    figure('nDCG@10 gained after 3, seen requests', lifts, gain('seen'), [0.075, 0.1]),
    figure('nDCG@10 gained after 3, other wordings', lifts, gain('para'), [0.012, 0.03]),
    figure('nDCG@10 gained after 3, tools never used', lifts, gain('cold'), [-0.01, -0.005]),
    figure(
      'nDCG@10 gained after 3, a new agent, seen requests',
      lifts,
      (run) => run[3].seenNew.nd - run.base.seen.nd,
      [0.045, 0.07],
    ),
  ];
}

function streamFigures(
  streams: z.infer<typeof streamSchema>[],
  withoutLearning: z.infer<typeof streamSchema>[],
): Figure[] {
  const shares = streams.map(({ regret }, at) => regret / (withoutLearning[at]?.regret ?? Number.NaN));
  return [
    figure('stream: share of calls that succeed', streams, (run) => run.succ, [0.59, 0.62]),
    figure('stream: regret, as a share of that without learning', shares, (share) => share, [0.8, 0.7], true),
    figure('stream: drifts recovered', streams, (run) => run.recPct, [0.7, 0.9]),
    figure('stream: bad uses before a drift is recovered, median', streams, (run) => run.recMed, [6, 3], true),
    figure('better twin leads: access', streams, (run) => run.access, [0.92, 0.98]),
    figure('better twin leads: flaky', streams, (run) => run.flaky, [0.8, 0.9]),
    figure('better twin leads: slow', streams, (run) => run.slow, [0.55, 0.75]),
  ];
}

type Poison = z.infer<typeof poisonSchema>;

function poisonFigures(runs: Record<'one' | 'two' | 'three' | 'errors', Poison[]>): Figure[] {
  const { one, two, three, errors } = runs;
  return [
    figure('poison by one: evil tool first, during', one, (run) => run.hit.e1, [0.056, 0.03], true),
    figure('poison by one: evil tool first, after', one, (run) => run.later.e1, [0.03, 0.01], true),
    figure('poison by two: evil tool first, during', two, (run) => run.hit.e1, [0.01, 0.01], true),
    figure('poison by three: evil tool first, during', three, (run) => run.hit.e1, [0.15, 0.06], true),
    figure('false errors: nDCG@10 lost, during', errors, (run) => run.before.nd - run.hit.nd, [0.02, 0.01], true),
    figure('false errors: nDCG@10 lost, after', errors, (run) => run.before.nd - run.later.nd, [0.005, 0], true),
  ];
}

/** The report as text: figures with their targets, then times. */
export function reportLines({ figures, statics, times, size }: EvalSummary): string[] {
  const width = Math.max(...figures.map(({ name }) => name.length));
  return [
    ...figures.map(
      (one) =>
        `${one.name.padEnd(width)}  ${one.value.toFixed(4).padStart(8)} ± ${one.margin.toFixed(4)}  ${verdict(one)}`,
    ),
    ...statics.map(
      ({ subset, scoring, hit1, ndcg, queries }) =>
        `${subset}, ${scoringNames[scoring]}: hit@1 ${hit1.toFixed(3)}, nDCG@10 ${ndcg.toFixed(3)} (${queries} queries)`,
    ),
    ...(times === undefined ? [] : timeLines(times)),
    ...(size === undefined ? [] : [sizeLine(size)]),
  ];
}

const scoringNames = {
  static: 'words and static model',
  endpoint: 'words and the embeddings service',
  words: 'words alone',
} as const;

function verdict({ value, must, goal, isMost }: Figure): string {
  const reaches = (bound: number) => (isMost ? value <= bound : value >= bound);
  const reached = reaches(goal) ? 'goal reached' : reaches(must) ? 'must reached' : 'MISSED';
  return `${reached} (must ${must}, goal ${goal})`;
}

function sizeLine({ turnMsMax: { clock, cpu }, moreThanWordsMib }: SearchSize): string {
  const turn = `${clock.toFixed(1)} ms (${cpu.toFixed(1)} ms of processor time)`;
  return `10,000 tools of one server: longest turn while they are indexed ${turn}, ${moreThanWordsMib.toFixed(1)} MiB more than words alone`;
}

function timeLines({ tools, loopMs, ...times }: SearchTimes): string[] {
  return [
    `a plain loop of ten million additions: ${loopMs.toFixed(1)} ms`,
    ...Object.entries(times).map(
      ([name, { p50, p95 }]) => `${name} at ${tools} tools: p50 ${p50.toFixed(3)} ms, p95 ${p95.toFixed(3)} ms`,
    ),
  ];
}

/** The plot of hit@1 by the number of outcomes, as SVG. */
export function plotOf({ curve }: EvalSummary): string {
  const [width, height, margin] = [640, 360, 56];
  const low = 0.5;
  const high = 0.9;
  const x = (at: number) => margin + (at * (width - 2 * margin)) / Math.max(1, curve.length - 1);
  const y = (value: number) => height - margin - ((value - low) * (height - 2 * margin)) / (high - low);
  const line = (color: string, of: (point: EvalSummary['curve'][number]) => number) =>
    [
      `<polyline fill="none" stroke="${color}" stroke-width="2" points="${curve.map((point, at) => `${x(at)},${y(of(point)).toFixed(1)}`).join(' ')}"/>`,
      ...curve.map(
        (point, at) =>
          `<circle cx="${x(at)}" cy="${y(of(point)).toFixed(1)}" r="3" fill="${color}"/><text x="${x(at)}" y="${(y(of(point)) - 8).toFixed(1)}" text-anchor="middle" fill="${color}">${of(point).toFixed(3)}</text>`,
      ),
    ].join('\n');
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12">`,
    '<title>hit@1 of requests seen before, by outcomes of each</title>',
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    `<text x="${width / 2}" y="24" text-anchor="middle" font-size="14">hit@1 of requests seen before, by outcomes of each</text>`,
    ...[0.5, 0.6, 0.7, 0.8, 0.9].map(
      (tick) =>
        `<line x1="${margin}" x2="${width - margin}" y1="${y(tick).toFixed(1)}" y2="${y(tick).toFixed(1)}" stroke="#dddddd"/><text x="${margin - 8}" y="${(y(tick) + 4).toFixed(1)}" text-anchor="end">${tick}</text>`,
    ),
    ...curve.map(
      ({ outcomes }, at) => `<text x="${x(at)}" y="${height - margin + 20}" text-anchor="middle">${outcomes}</text>`,
    ),
    line('#1f6f43', ({ own }) => own),
    line('#8a4b08', ({ newAgent }) => newAgent),
    `<text x="${width - margin}" y="${height - 12}" text-anchor="end" fill="#1f6f43">the agents that called</text>`,
    `<text x="${margin}" y="${height - 12}" fill="#8a4b08">an agent that never called</text>`,
    '</svg>',
  ].join('\n')}\n`;
}

/** The mean of a figure over the runs of all seeds, with half of its 95 % confidence interval. */
function figure<Run>(
  name: string,
  runs: readonly Run[],
  of: (run: Run) => number,
  [must, goal]: [must: number, goal: number],
  isMost = false,
): Figure {
  const value = mean(runs, of);
  const squares = runs.reduce((sum, run) => sum + (of(run) - value) ** 2, 0);
  const error = Math.sqrt(squares / Math.max(1, runs.length - 1) / runs.length);
  return { name, value, margin: (studentT[runs.length - 2] ?? studentTLimit) * error, must, goal, isMost };
}

/** The 97.5 % quantiles of Student's t for 2, 3, ... runs, and about that of more. */
const studentT = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262];
const studentTLimit = 2.2;

function mean<T>(runs: readonly T[], of: (run: T) => number): number {
  return runs.reduce((sum, run) => sum + of(run), 0) / runs.length;
}
