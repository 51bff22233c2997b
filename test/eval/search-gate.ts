/**
 * The gate of search quality: figures of this checkout against those that are committed. A figure fails if it is worse than the
 * committed one by more than its standard error.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { z } from 'zod';
import { measureNewcomers } from './newcomer-eval.ts';
import { type EvalSubset, evalSubsets } from './search-eval-data.ts';
import { meanOf, measureSubset } from './subset-eval.ts';

const baselineFile = new URL('search-baseline.json', import.meta.url);
const baselineSchema = z.record(z.string(), z.number());

/** A figure with its standard error; more is better, unless `isMost` says that less is. */
export interface GateFigure {
  name: string;
  value: number;
  error: number;
  isMost?: boolean;
}

/** A figure beside the committed one, which is undefined for a new figure. */
export interface GatedFigure extends GateFigure {
  baseline: number | undefined;
  hasFallen: boolean;
}

/** Measures, the labelled queries too if their directory is given. `onFigure` is called as figures are known. */
export async function measureGate(
  directory: string | undefined,
  onFigure: (name: string) => void,
): Promise<GateFigure[]> {
  const figures: GateFigure[] = [];
  const add = (added: readonly GateFigure[]) => {
    for (const figure of added) onFigure(figure.name);
    figures.push(...added);
  };
  add(await newcomerFigures());
  for (const subset of directory === undefined ? [] : evalSubsets) add(await subsetFigures(directory ?? '', subset));
  return figures;
}

/** Sets figures beside the committed ones. */
export function gated(figures: readonly GateFigure[]): GatedFigure[] {
  const baseline = baselineSchema.parse(JSON.parse(readFileSync(baselineFile, 'utf8')));
  return figures.map((figure) => {
    const before = baseline[figure.name];
    const worse = before === undefined ? 0 : (figure.isMost === true ? 1 : -1) * (figure.value - before);
    return { ...figure, baseline: before, hasFallen: worse > figure.error };
  });
}

/** Makes these figures the committed ones. */
export function writeBaseline(figures: readonly GateFigure[]): void {
  const values = Object.fromEntries(figures.map(({ name, value }) => [name, Number(value.toFixed(4))]));
  writeFileSync(baselineFile, `${JSON.stringify(values, null, 2)}\n`);
}

async function newcomerFigures(): Promise<GateFigure[]> {
  const { requests, first, inThree, unanswered, foreignAnswered } = await measureNewcomers('static');
  const figure = (name: string, value: number) => ({
    name: `newcomers, ${name}`,
    value,
    error: countError(value, requests),
  });
  return [
    figure('right tool first', first),
    figure('right tool in the first three', inThree),
    { ...figure('unanswered', unanswered), isMost: true },
    { ...figure('other languages, answered by meaning', foreignAnswered), isMost: true },
  ];
}

/** The standard error of a count of independent requests (binomial). */
function countError(count: number, requests: number): number {
  const share = count / requests;
  return Math.sqrt(requests * share * (1 - share));
}

async function subsetFigures(directory: string, subset: EvalSubset): Promise<GateFigure[]> {
  const { gains, hits } = await measureSubset(directory, { subset, scoring: 'static' });
  return [
    { name: `nDCG@10, ${subset}`, ...meanOf(gains) },
    { name: `hit@1, ${subset}`, ...meanOf(hits) },
  ];
}
