/** Converts errors of zod to violations: printable, truncated, and without the offending value. */
import type { z } from 'zod';
import type { Violation } from './error.ts';
import { printable, truncated } from './text.ts';

const fieldLengthMax = 100;
const messageLengthMax = 200;

/** One violation for each issue. An issue without a path gets the field `valueName`; the others get `prefix` and their path. */
export function zodViolations(
  error: z.core.$ZodError,
  { valueName, prefix = [] }: { valueName: string; prefix?: string[] },
): Violation[] {
  return error.issues.map(({ path, message }) => ({
    field: printable(truncated([...prefix, ...path.map(String)].join('.') || valueName, fieldLengthMax)),
    message: printable(truncated(message, messageLengthMax)),
  }));
}
