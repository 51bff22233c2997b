/** The interface of the structured log for upstream connections. */

/** Flat fields of a log line. `undefined` values are omitted. */
export type UpstreamLogFields = Record<string, string | number | boolean | undefined>;

/** `local`: the line is not exported, only written to file and standard output, since it may contain private data. */
export interface UpstreamLogOptions {
  local?: boolean;
}

/** A structured log. Messages are constant; text from an upstream is only put into fields. */
export interface UpstreamLog {
  debug(message: string, fields?: UpstreamLogFields, options?: UpstreamLogOptions): void;
  info(message: string, fields?: UpstreamLogFields, options?: UpstreamLogOptions): void;
  warn(message: string, fields?: UpstreamLogFields, options?: UpstreamLogOptions): void;
  error(message: string, fields?: UpstreamLogFields, options?: UpstreamLogOptions): void;
}
