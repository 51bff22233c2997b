/**
 * Paired measurements for shared machines: only ratios within one round count.
 * Each round puts every subject under load for one short slice, in a new order.
 */

/** The result of one slice of load. */
export interface Slice {
  /** The latency of each successful call, in milliseconds. */
  latenciesMs: readonly number[];
  /** The time from the start of the first call to the end of the last, in milliseconds. */
  wallMs: number;
  /** CPU time of the measured process, in milliseconds. The resolution of the kernel's clock makes only sums of many meaningful. */
  cpuMs: number;
}

/** A measured subject, with a name that is unique in a run. */
export interface Subject {
  name: string;
  /** Puts the subject under load for about `durationMs`. */
  slice(durationMs: number): Promise<Slice>;
}

/** One slice of each subject, by name. */
export type Round = ReadonlyMap<string, Slice>;

/** The result of a run: its rounds, and the name of the base, which the twin repeats. */
export interface Run {
  baseName: string;
  rounds: readonly Round[];
}

/** The durations and number of rounds. `warmUpMs` is for each subject. */
export interface PairedOptions {
  rounds: number;
  sliceMs: number;
  warmUpMs: number;
  /** Returns a number in [0, 1). */
  random?: () => number;
  /** Called after each round. */
  onRound?: () => void;
}

/** The name of the first subject's repetition. Its difference from the first is the noise of the run. */
export const twinName = 'A/A twin';

/** Measures the subjects, the first of them twice in each round. */
export async function runPaired(subjects: readonly Subject[], options: PairedOptions): Promise<Run> {
  const [first] = subjects;
  if (first === undefined) throw new Error('there is nothing to measure');
  const all = [...subjects, { ...first, name: twinName }];
  // The twin is not warmed up: it is the first subject, which would otherwise be warmed up twice.
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

/** What is compared: the median latency, the calls per second, or the CPU time of a call. */
export type Measure = 'p50' | 'throughput' | 'cpu';

/** The ratio of a subject to another one: the median over the rounds, and the quartiles. */
export interface Comparison {
  ratio: number;
  quartiles: [number, number];
}

/**
 * Compares a subject with the base of the run or another subject, by the median of the rounds' ratios. CPU time is compared by
 * its sums, since a slice is too short for the resolution of the kernel's clock.
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

/** The absolute figures of a subject over all rounds. They are not comparable between runs. */
export interface Total {
  calls: number;
  p50Ms: number;
  throughputPerSecond: number;
  cpuPerCallUs: number;
}

/** The figures of a subject: medians over the rounds, and the CPU time of all its calls. */
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

/** The q-quantile, interpolated between the two nearest values (percentile_cont of SQL:2003). NaN without values. */
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
  if (slice === undefined) throw new Error(`${name} was not measured`);
  return slice;
}

const latencyP50 = ({ latenciesMs }: Slice): number => quantile(latenciesMs, 0.5);

const throughput = ({ latenciesMs, wallMs }: Slice): number => (latenciesMs.length / wallMs) * 1000;

/** The Fisher-Yates shuffle. */
function shuffled<T>(items: readonly T[], random: () => number): T[] {
  const order = [...items];
  for (let last = order.length - 1; last > 0; last -= 1) {
    const other = Math.floor(random() * (last + 1));
    const [left, right] = [order[last], order[other]];
    if (left !== undefined && right !== undefined) [order[last], order[other]] = [right, left];
  }
  return order;
}
