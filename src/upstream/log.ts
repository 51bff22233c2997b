/** What this room needs of a log; any structured log with these four methods will do. */

/** Flat fields of a log line; `undefined` values are left out. */
export type UpstreamLogFields = Record<string, string | number | boolean | undefined>;

/** `local`: to the file and standard output only, for text that may hold what nobody asked to export. */
export interface UpstreamLogOptions {
  local?: boolean;
}

/** A log as this room sees it. Messages are ours; text from an upstream goes into fields only. */
export interface UpstreamLog {
  debug(message: string, fields?: UpstreamLogFields, options?: UpstreamLogOptions): void;
  info(message: string, fields?: UpstreamLogFields, options?: UpstreamLogOptions): void;
  warn(message: string, fields?: UpstreamLogFields, options?: UpstreamLogOptions): void;
  error(message: string, fields?: UpstreamLogFields, options?: UpstreamLogOptions): void;
}
