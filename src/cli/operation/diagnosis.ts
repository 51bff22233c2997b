/** What `hestia doctor` finds: one finding for each check, with the line that mends what is wrong. */

/** `failed`: something does not work. `warning`: it works, but should be known. */
export type FindingState = 'ok' | 'warning' | 'failed';

/** The result of one check. */
export interface Finding {
  /** What was checked, such as `disk` or `server github`. */
  check: string;
  state: FindingState;
  /** What was found. */
  found: string;
  /** What to do, where something is wrong: a command, or a setting. */
  mend?: string;
}

/** A finding without anything to mend. */
export function ok(check: string, found: string): Finding {
  return { check, state: 'ok', found };
}
