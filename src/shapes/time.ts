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
