/** What a suite is, and what it is given. */
import type { Finding } from './findings.ts';
import { type PairedOptions, type Run, runPaired, type Subject } from './paired.ts';

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
  /** Runs subjects in pairs, as long and as often as the run was told; tells of the progress. */
  paired(what: string, subjects: readonly Subject[]): Promise<Run>;
  /** Says what is under way. */
  tell(what: string): void;
}

/** Slices of a full run and of a quick one. */
const full: PairedOptions = { rounds: 24, sliceMs: 150, warmUpMs: 2500 };
const quick: PairedOptions = { rounds: 3, sliceMs: 60, warmUpMs: 100 };

/** The context of one run; `rounds` replaces the number of rounds. */
export function suiteContext(options: {
  isQuick: boolean;
  rounds: number | undefined;
  tell: (what: string) => void;
}): SuiteContext {
  const settings = options.isQuick ? quick : full;
  const rounds = options.rounds ?? settings.rounds;
  return {
    isQuick: options.isQuick,
    tell: options.tell,
    paired: (what, subjects) => {
      let done = 0;
      options.tell(`${what}: ${subjects.length} subjects and a twin, ${rounds} rounds`);
      const onRound = () => {
        done += 1;
        if (done % 8 === 0 && done < rounds) options.tell(`${what}: ${done} of ${rounds} rounds`);
      };
      return runPaired(subjects, { ...settings, rounds, onRound });
    },
  };
}
