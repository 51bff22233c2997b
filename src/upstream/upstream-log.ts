/** What this room needs of a log; any structured log with these four methods will do. */

/** Flat fields of a log line; `undefined` values are left out. */
export type UpstreamLogFields = Record<string, string | number | boolean | undefined>;

/** A log as this room sees it. Messages are ours; text from an upstream goes into fields only. */
export interface UpstreamLog {
  debug(message: string, fields?: UpstreamLogFields): void;
  info(message: string, fields?: UpstreamLogFields): void;
  warn(message: string, fields?: UpstreamLogFields): void;
  error(message: string, fields?: UpstreamLogFields): void;
}
