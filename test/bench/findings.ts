/** What a run found: each ratio with its spread, the noise of its run, and what became of the bar. */
import { type Bar, bars } from './bars.ts';
import { compare, type Measure, type Run, total, twinName } from './paired.ts';

/** One line of the table. */
export interface Finding {
  name: string;
  /** `x` for ratios; a unit for the few figures that are none. */
  unit: 'x' | 'ms' | 's' | 'MiB' | 'us' | 'per s' | 'kB' | 'count';
  value: number;
  /** Between which half of the rounds lie; undefined for a figure that was taken once. */
  quartiles?: [number, number];
  /** The ratio of the base to itself, measured in the same rounds by the same measure. */
  twin?: number;
  wanted?: Bar['wanted'];
  bar?: number;
  stretch?: number;
  verdict: Verdict;
  /** What the figures were, for their size only. */
  detail?: string;
  /** Where it is one of several of different size: what they are of, and how large this one is. */
  growth?: { series: string; size: number };
}

/** `void` where the run was too noisy to say; `none` where nothing is asked. */
export type Verdict = 'stretch' | 'met' | 'missed' | 'void' | 'none';

/** Between these a twin must lie, or the run says nothing. */
export const twinRange = { low: 0.9, high: 1.1 } as const;

/** A ratio out of a run, against its base or another of its subjects. */
export function ratioFinding(
  run: Run,
  { name, measure, subject, base = run.baseName }: { name: string; measure: Measure; subject: string; base?: string },
): Finding {
  const { ratio, quartiles } = compare(run, measure, subject, base);
  const twin = compare(run, measure, twinName).ratio;
  const figures = { p50: 'p50Ms', throughput: 'throughputPerSecond', cpu: 'cpuPerCallUs' } as const;
  const units = { p50: 'ms', throughput: 'calls/s', cpu: 'us' } as const;
  const shown = (subjectName: string) => Number(total(run, subjectName)[figures[measure]].toPrecision(3));
  const detail = `${shown(subject)} to ${shown(base)} ${units[measure]}`;
  return judged({ name, unit: 'x', value: ratio, quartiles, twin, detail });
}

/** A figure that stands for itself. */
export function figureFinding(name: string, unit: Finding['unit'], value: number, detail?: string): Finding {
  return judged({ name, unit, value, ...(detail !== undefined && { detail }) });
}

/** The finding with its bar and what became of it. */
export function judged(finding: Omit<Finding, 'verdict' | 'wanted' | 'bar' | 'stretch'>): Finding {
  const asked = bars[finding.name];
  return { ...finding, ...asked, verdict: verdictOf(finding, asked) };
}

/** Whether the twin says that a run was too noisy. */
export function isVoid({ twin }: Pick<Finding, 'twin'>): boolean {
  return twin !== undefined && (twin < twinRange.low || twin > twinRange.high);
}

function verdictOf(finding: Pick<Finding, 'value' | 'twin'>, asked: Bar | undefined): Verdict {
  if (isVoid(finding)) return 'void';
  if (asked === undefined) return 'none';
  const reaches = (bar: number) => (asked.wanted === 'at most' ? finding.value <= bar : finding.value >= bar);
  if (!reaches(asked.bar)) return 'missed';
  return asked.stretch !== undefined && reaches(asked.stretch) ? 'stretch' : 'met';
}
