/** Times as people say them: `3 min ago`, `in 2 h`. */

const secondMs = 1000;
const minuteMs = 60_000;
const hourMs = 3_600_000;
const dayMs = 86_400_000;

/** How long ago, or in how long, an ISO 8601 time is; undefined of undefined. */
export function relativeTime(iso: string, now?: number): string;
export function relativeTime(iso: string | undefined, now?: number): string | undefined;
export function relativeTime(iso: string | undefined, now = Date.now()): string | undefined {
  if (iso === undefined) return undefined;
  const ms = Date.parse(iso) - now;
  if (Number.isNaN(ms)) return iso;
  const length = durationText(Math.abs(ms));
  if (Math.abs(ms) < secondMs) return 'now';
  return ms > 0 ? `in ${length}` : `${length} ago`;
}

/** A duration in its largest unit: `4 s`, `3 min`, `2 h`, `5 d`. */
export function durationText(ms: number): string {
  if (ms < minuteMs) return `${Math.round(ms / secondMs)} s`;
  if (ms < hourMs) return `${Math.round(ms / minuteMs)} min`;
  return ms < 2 * dayMs ? `${Math.round(ms / hourMs)} h` : `${Math.round(ms / dayMs)} d`;
}
