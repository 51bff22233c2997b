/** The findings of a benchmark run: ratios with their spread, noise, and whether they meet their target. */
import { type Bar, bars } from './bars.ts';
import { compare, type Measure, type Run, total, twinName } from './paired.ts';

/** One line of the table. */
export interface Finding {
  name: string;
  /** `x` for ratios; a unit for other figures. */
  unit: 'x' | 'ms' | 's' | 'MiB' | 'us' | 'per s' | 'kB' | 'count';
  value: number;
  /** The quartiles of the rounds; undefined for a figure that was measured once. */
  quartiles?: [number, number];
  /** The ratio of the base to itself in the same rounds, by the same measure. */
  twin?: number;
  wanted?: Bar['wanted'];
  bar?: number;
  stretch?: number;
  verdict: Verdict;
  /** The absolute figures, for their order of magnitude only. */
  detail?: string;
  /** For one of several findings of different size: the name of their series, and the size of this one. */
  growth?: { series: string; size: number };
}

/** Whether the target is met. `void`: the run was too noisy. `none`: there is no target. */
export type Verdict = 'stretch' | 'met' | 'missed' | 'void' | 'none';

/** The range in which the twin's ratio must be, or the run is void. */
export const twinRange = { low: 0.9, high: 1.1 } as const;

/** A finding with the ratio of a subject to the run's base or to another subject. */
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
  return withVerdict({ name, unit: 'x', value: ratio, quartiles, twin, detail });
}

/** A finding with an absolute figure. */
export function figureFinding(name: string, unit: Finding['unit'], value: number, detail?: string): Finding {
  return withVerdict({ name, unit, value, ...(detail !== undefined && { detail }) });
}

/** The finding with its target, and whether it meets it. */
export function withVerdict(finding: Omit<Finding, 'verdict' | 'wanted' | 'bar' | 'stretch'>): Finding {
  const target = bars[finding.name];
  return { ...finding, ...target, verdict: verdictOf(finding, target) };
}

/** Whether the twin shows that a run was too noisy. */
export function isVoid({ twin }: Pick<Finding, 'twin'>): boolean {
  return twin !== undefined && (twin < twinRange.low || twin > twinRange.high);
}

function verdictOf(finding: Pick<Finding, 'value' | 'twin'>, target: Bar | undefined): Verdict {
  if (isVoid(finding)) return 'void';
  if (target === undefined) return 'none';
  const reaches = (bar: number) => (target.wanted === 'at most' ? finding.value <= bar : finding.value >= bar);
  if (!reaches(target.bar)) return 'missed';
  return target.stretch !== undefined && reaches(target.stretch) ? 'stretch' : 'met';
}
