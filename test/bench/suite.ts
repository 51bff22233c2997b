/** The interface of a benchmark suite, and the context it runs in. */
import { type Finding, isVoid } from './findings.ts';
import { compare, type Measure, type Run, runPaired, type Subject, twinName } from './paired.ts';

/** A group of measurements that start what they need. */
export interface Suite {
  /** The name for `--only`, in kebab-case. */
  name: string;
  /** One line that describes it. */
  about: string;
  run(context: SuiteContext): Promise<Finding[]>;
}

/** The context of a suite. */
export interface SuiteContext {
  /** A short run that only checks that the suite works. */
  isQuick: boolean;
  /** The folders of Python virtual environments with gateways from PyPI. Those that none has are not compared. */
  python: readonly string[];
  /**
   * Measures subjects in pairs with the settings of the run, and reports progress. A run that is void by the measure `noiseMeasure`
   * is repeated once. Subjects that ran before need only a short `warmUp`.
   */
  paired(
    what: string,
    subjects: readonly Subject[],
    options?: { noiseMeasure?: Measure; warmUp?: 'long' | 'short' },
  ): Promise<Run>;
  /** Reports what is running. */
  reportProgress(what: string): void;
}

/** The settings of a full and of a quick run. A process is twice as fast after some thousand calls as at first. */
const full = { rounds: 24, sliceMs: 150, warmUpMs: { long: 8000, short: 500 } };
const quick = { rounds: 3, sliceMs: 60, warmUpMs: { long: 100, short: 50 } };

/** The context of one run; `rounds` replaces the number of rounds. */
export function suiteContext(options: {
  isQuick: boolean;
  rounds: number | undefined;
  python: readonly string[];
  reportProgress: (what: string) => void;
}): SuiteContext {
  const { isQuick, python, reportProgress } = options;
  const settings = isQuick ? quick : full;
  const rounds = options.rounds ?? settings.rounds;
  return {
    isQuick,
    python,
    reportProgress,
    paired: async (what, subjects, { noiseMeasure = 'throughput', warmUp = 'long' } = {}) => {
      const once = (warmUpMs: number) => {
        let done = 0;
        reportProgress(`${what}: ${subjects.length} subjects and a twin, ${rounds} rounds`);
        const onRound = () => {
          done += 1;
          if (done % 8 === 0 && done < rounds) reportProgress(`${what}: ${done} of ${rounds} rounds`);
        };
        return runPaired(subjects, { rounds, sliceMs: settings.sliceMs, warmUpMs, onRound });
      };
      const run = await once(settings.warmUpMs[warmUp]);
      if (isQuick || !isVoid({ twin: compare(run, noiseMeasure, twinName).ratio })) return run;
      reportProgress(`${what}: too noisy, once more`);
      return once(settings.warmUpMs.short);
    },
  };
}

/** The warm-up for a number of requests in flight. Suites begin with 16. */
export function warmUpOf(inFlight: number): 'long' | 'short' {
  return inFlight === 16 ? 'long' : 'short';
}
