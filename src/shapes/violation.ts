/** What zod found wrong, as violations that name the field: printable, cut, and free of the value that was found. */
import type { z } from 'zod';
import type { Violation } from './error.ts';
import { printable, truncated } from './text.ts';

const fieldLengthMax = 100;
const messageLengthMax = 200;

/** One violation for each issue. `whole` names what was checked: alone for the whole of it, else as `prefix` says. */
export function zodViolations(
  error: z.core.$ZodError,
  { whole, prefix = [] }: { whole: string; prefix?: string[] },
): Violation[] {
  return error.issues.map(({ path, message }) => ({
    field: printable(truncated([...prefix, ...path.map(String)].join('.') || whole, fieldLengthMax)),
    message: printable(truncated(message, messageLengthMax)),
  }));
}
