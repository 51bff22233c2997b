/**
 * Measurement in pairs, for machines that are shared: each round gives every subject one short slice of load, in a new order,
 * and only ratios within one round count. Pure but for the slices; knows no HTTP and no hub.
 */

/** What one slice of load brought. */
export interface Slice {
  /** One for each call that succeeded, in milliseconds. */
  latenciesMs: readonly number[];
  /** From the first call's start to the last one's end, in milliseconds. */
  wallMs: number;
  /** CPU of the process under test meanwhile, in milliseconds; in steps of the kernel's clock, so only sums of many say something. */
  cpuMs: number;
}

/** Something that is measured, under a name that is unique in a run. */
export interface Subject {
  name: string;
  /** Puts it under load for about so long. */
  slice(durationMs: number): Promise<Slice>;
}

/** One slice of each subject, by name. */
export type Round = ReadonlyMap<string, Slice>;

/** What a run measured: its rounds, and the subject that its twin doubles. */
export interface Run {
  baseName: string;
  rounds: readonly Round[];
}

/** How long and how often; `warmUpMs` is for each subject. */
export interface PairedOptions {
  rounds: number;
  sliceMs: number;
  warmUpMs: number;
  /** From 0 inclusive to 1 exclusive. */
  random?: () => number;
  /** Hears of each round that is through. */
  onRound?: () => void;
}

/** The subject that is the first one again: what it differs by is the noise of the run. */
export const twinName = 'A/A twin';

/** Runs the subjects side by side, the first of them twice. */
export async function runPaired(subjects: readonly Subject[], options: PairedOptions): Promise<Run> {
  const [first] = subjects;
  if (first === undefined) throw new Error('there is nothing to measure');
  const all = [...subjects, { ...first, name: twinName }];
  // The twin is the first one again, and no warmer than the others should the ratios be fair.
  for (const subject of subjects) await subject.slice(options.warmUpMs);
  const rounds: Round[] = [];
  for (let round = 0; round < options.rounds; round += 1) {
    const slices = new Map<string, Slice>();
    for (const subject of shuffled(all, options.random ?? Math.random)) {
      slices.set(subject.name, await subject.slice(options.sliceMs));
    }
    rounds.push(slices);
    options.onRound?.();
  }
  return { baseName: first.name, rounds };
}

/** What a subject is judged by: the median latency, the calls a second, or the CPU of a call. */
export type Measure = 'p50' | 'throughput' | 'cpu';

/** Ratios of a subject to another one: the median of those of each round, and the quartiles between which half of them lie. */
export interface Comparison {
  ratio: number;
  quartiles: [number, number];
}

/**
 * Compares with the base of the run, or another of its subjects, by the medians of the rounds' ratios; CPU by its sums, since
 * a slice is too short for the kernel's clock.
 */
export function compare(run: Run, measure: Measure, name: string, baseName: string = run.baseName): Comparison {
  const { rounds } = run;
  if (measure === 'cpu') {
    const ratio = total(run, name).cpuPerCallUs / total(run, baseName).cpuPerCallUs;
    return { ratio, quartiles: [ratio, ratio] };
  }
  const ratios = rounds.map((round) => measured(round, measure, name) / measured(round, measure, baseName));
  return { ratio: quantile(ratios, 0.5), quartiles: [quantile(ratios, 0.25), quantile(ratios, 0.75)] };
}

/** A subject's own figures over all rounds; they say how large things are, and nothing about another run. */
export interface Total {
  calls: number;
  p50Ms: number;
  throughputPerSecond: number;
  cpuPerCallUs: number;
}

/** The figures of one subject: medians over the rounds, and the CPU of all its calls. */
export function total({ rounds }: Run, name: string): Total {
  const slices = rounds.map((round) => sliceOf(round, name));
  const calls = slices.reduce((sum, slice) => sum + slice.latenciesMs.length, 0);
  return {
    calls,
    p50Ms: quantile(slices.map(latencyP50), 0.5),
    throughputPerSecond: quantile(slices.map(throughput), 0.5),
    cpuPerCallUs: (slices.reduce((sum, slice) => sum + slice.cpuMs, 0) / calls) * 1000,
  };
}

/** The q-quantile, from 0 to 1, between the two nearest values (percentile_cont of SQL:2003). NaN where there is none. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((left, right) => left - right);
  const position = (sorted.length - 1) * q;
  const below = sorted[Math.floor(position)] ?? Number.NaN;
  const above = sorted[Math.ceil(position)] ?? Number.NaN;
  return below + (above - below) * (position - Math.floor(position));
}

function measured(round: Round, measure: 'p50' | 'throughput', name: string): number {
  const slice = sliceOf(round, name);
  return measure === 'p50' ? latencyP50(slice) : throughput(slice);
}

function sliceOf(round: Round, name: string): Slice {
  const slice = round.get(name);
  if (slice === undefined) throw new Error(`${name} is not among what was measured`);
  return slice;
}

const latencyP50 = ({ latenciesMs }: Slice): number => quantile(latenciesMs, 0.5);

const throughput = ({ latenciesMs, wallMs }: Slice): number => (latenciesMs.length / wallMs) * 1000;

/** Fisher and Yates. */
function shuffled<T>(items: readonly T[], random: () => number): T[] {
  const order = [...items];
  for (let last = order.length - 1; last > 0; last -= 1) {
    const other = Math.floor(random() * (last + 1));
    const [left, right] = [order[last], order[other]];
    if (left !== undefined && right !== undefined) [order[last], order[other]] = [right, left];
  }
  return order;
}
