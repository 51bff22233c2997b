/**
 * Violations of a schema and problem details: their schemas, and the conversion of errors of zod.
 * Violations are printable, truncated, and without the offending value.
 */
import { z } from 'zod';
import { errorCodes, type Violation } from './error.ts';
import { jsonObjectSchema } from './json.ts';
import { printable, truncated } from './text.ts';

/** A violated rule; see {@link Violation}. */
export const violationSchema = z.object({ field: z.string(), message: z.string() }) satisfies z.ZodType<Violation>;

const codes: readonly string[] = Object.keys(errorCodes);

/** Problem details (RFC 9457): the body of each refusal over HTTP. */
export const problemSchema = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    code: z.enum(codes),
    traceId: z.string().optional(),
    violations: z.array(violationSchema).optional(),
    content: z
      .array(jsonObjectSchema)
      .optional()
      .describe(
        'Content blocks of MCP with text of the upstream server, unchanged but for its length and control characters.',
      ),
  })
  .meta({ id: 'Problem' });

const fieldLengthMax = 100;
const messageLengthMax = 1000;

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
