/** What a suite is, and what it is given. */
import { type Finding, isVoid } from './findings.ts';
import { compare, type Measure, type Run, runPaired, type Subject, twinName } from './paired.ts';

/** A group of measurements that start what they need. */
export interface Suite {
  /** In kebab-case; `--only` takes it. */
  name: string;
  /** One line for people. */
  about: string;
  run(context: SuiteContext): Promise<Finding[]>;
}

/** What a suite runs with. */
export interface SuiteContext {
  /** A short run that only shows that it works. */
  isQuick: boolean;
  /**
   * Runs subjects in pairs, as long and as often as the run was told, and tells of the progress. A run that `judgedBy` shows to be
   * void is repeated once. Subjects that ran before need only a short `warmUp`.
   */
  paired(
    what: string,
    subjects: readonly Subject[],
    options?: { judgedBy?: Measure; warmUp?: 'long' | 'short' },
  ): Promise<Run>;
  /** Says what is under way. */
  tell(what: string): void;
}

/** Slices of a full run and of a quick one. A process runs twice as fast after some thousand calls as at first. */
const full = { rounds: 24, sliceMs: 150, warmUpMs: { long: 8000, short: 500 } };
const quick = { rounds: 3, sliceMs: 60, warmUpMs: { long: 100, short: 50 } };

/** The context of one run; `rounds` replaces the number of rounds. */
export function suiteContext(options: {
  isQuick: boolean;
  rounds: number | undefined;
  tell: (what: string) => void;
}): SuiteContext {
  const { isQuick, tell } = options;
  const settings = isQuick ? quick : full;
  const rounds = options.rounds ?? settings.rounds;
  return {
    isQuick,
    tell,
    paired: async (what, subjects, { judgedBy = 'throughput', warmUp = 'long' } = {}) => {
      const once = (warmUpMs: number) => {
        let done = 0;
        tell(`${what}: ${subjects.length} subjects and a twin, ${rounds} rounds`);
        const onRound = () => {
          done += 1;
          if (done % 8 === 0 && done < rounds) tell(`${what}: ${done} of ${rounds} rounds`);
        };
        return runPaired(subjects, { rounds, sliceMs: settings.sliceMs, warmUpMs, onRound });
      };
      const run = await once(settings.warmUpMs[warmUp]);
      if (isQuick || !isVoid({ twin: compare(run, judgedBy, twinName).ratio })) return run;
      tell(`${what}: too noisy, once more`);
      return once(settings.warmUpMs.short);
    },
  };
}

/** Suites begin with sixteen in flight. */
export function warmUpOf(inFlight: number): 'long' | 'short' {
  return inFlight === 16 ? 'long' : 'short';
}
