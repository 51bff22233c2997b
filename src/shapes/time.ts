/** Times on their way out: Unix milliseconds inside, ISO 8601 in UTC outside. */

/** ISO 8601 in UTC of Unix milliseconds; a time that is not known stays unknown. */
export function isoTime(timeMs: number): string;
export function isoTime(timeMs: number | undefined): string | undefined;
export function isoTime(timeMs: number | undefined): string | undefined {
  return timeMs === undefined ? undefined : new Date(timeMs).toISOString();
}
