/** The text of a validation issue: the key, the value found, and what is allowed. */
import type { z } from 'zod';
import { truncated } from '../../text.ts';

/** The first issue of a validation error. `isSecret` names the places whose values are never shown. */
export function issueText(
  error: z.ZodError,
  input: unknown,
  mayShow: (path: readonly string[]) => boolean,
): { path: string[]; text: string; unknownKey: string | undefined } {
  const issue = innermost(error.issues[0]);
  if (issue === undefined) return { path: [], text: 'not valid', unknownKey: undefined };
  const unknownKey = issue.code === 'unrecognized_keys' ? issue.keys[0] : undefined;
  const path = [...issue.path.map(String), ...(unknownKey === undefined ? [] : [unknownKey])];
  const value = valueAt(input, path);
  const isShown = value !== undefined && typeof value !== 'object' && mayShow(path);
  const found = isShown ? `found ${truncated(JSON.stringify(value), 80)}, ` : '';
  return { path, text: unknownKey === undefined ? `${found}${issue.message}` : 'unknown key', unknownKey };
}

type Issue = z.core.$ZodIssue;

/** The issue to report: for a key, that of its own rule; for a union, that of the one member that fits best. */
function innermost(issue: Issue | undefined): Issue | undefined {
  if (issue?.code === 'invalid_key') return { ...issue, message: issue.issues[0]?.message ?? issue.message };
  if (issue?.code !== 'invalid_union') return issue;
  const [best, second] = issue.errors.toSorted((left, right) => left.length - right.length);
  const inner = best?.[0];
  if (inner === undefined || best?.length === second?.length) return issue;
  return { ...inner, path: [...issue.path, ...inner.path] };
}

function valueAt(input: unknown, path: readonly string[]): unknown {
  let value = input;
  for (const part of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = Object.entries(value).find(([key]) => key === part)?.[1];
  }
  return value;
}
