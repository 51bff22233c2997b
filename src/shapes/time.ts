/** Times: Unix milliseconds inside the hub, ISO 8601 text in UTC in its answers. */
import { z } from 'zod';

/** A time in an answer. */
export const isoTimeSchema = z.iso.datetime();

/** ISO 8601 text in UTC of Unix milliseconds, and `undefined` of `undefined`. */
export function isoTime(timeMs: number): string;
export function isoTime(timeMs: number | undefined): string | undefined;
export function isoTime(timeMs: number | undefined): string | undefined {
  return timeMs === undefined ? undefined : new Date(timeMs).toISOString();
}

const unitsMs = new Map([
  ['s', 1000],
  ['m', 60_000],
  ['h', 3_600_000],
  ['d', 86_400_000],
]);
const isoTimeQuerySchema = z.iso.datetime({ offset: true }).or(z.iso.date());
const relativePattern = /^(?<count>\d{1,6})(?<unit>[smhd])$/;

/** Whether a period in a query ends after it begins. A period that does not would have an empty answer. */
export function isPeriod({ since, until }: { since?: number | undefined; until?: number | undefined }): boolean {
  return since === undefined || until === undefined || since <= until;
}

/** The refusal of a period that ends before it begins. */
export const periodRefusal = { path: ['since'], error: 'must not be later than until' };

/** A time in a query: ISO 8601, or how long ago, such as `15m`, `2h` or `7d`. Parses to Unix milliseconds. */
export const timeQuerySchema = z
  .string()
  .max(64)
  .transform((text, context) => {
    const { count, unit } = relativePattern.exec(text)?.groups ?? {};
    if (count !== undefined) return Date.now() - Number(count) * (unitsMs.get(unit ?? '') ?? 0);
    const parsed = isoTimeQuerySchema.safeParse(text);
    if (parsed.success) return Date.parse(text);
    context.addIssue('must be a time such as "2026-01-31T08:00:00Z", or how long ago, such as "15m", "2h" or "7d"');
    return z.NEVER;
  })
  .meta({ examples: ['2h'] });
