/**
 * The structured log of upstream connections. A server that causes the same line over and over, such as by a list that always
 * changes, has it written a few times a minute.
 */
import { BoundedMap } from '../flow/bounded-map.ts';

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

/** The lines with one message about one server that are written in a minute. */
const sameLinesPerMinuteMax = 10;
const minuteMs = 60_000;
/** The most messages of servers that are counted. Beyond it, the oldest one begins anew. */
const countedMax = 10_000;

interface Counted {
  since: number;
  count: number;
}

/**
 * Leaves out information and warnings that repeat. The first line of a later minute says how many (`lines_left_out`). Local
 * lines, which have a limit of their own, and errors pass. `now` returns a time in milliseconds that never goes back.
 */
export function limitRepeatedLines(log: UpstreamLog, now: () => number = () => performance.now()): UpstreamLog {
  const counted = new BoundedMap<string, Counted>(countedMax);
  const limited =
    (level: 'info' | 'warn'): UpstreamLog['info'] =>
    (message, fields, options) => {
      if (options?.local === true) return log[level](message, fields, options);
      const key = JSON.stringify([message, fields?.server_id]);
      const before = counted.get(key);
      const isNew = before === undefined || now() - before.since >= minuteMs;
      const current = isNew ? { since: now(), count: 0 } : before;
      current.count += 1;
      counted.set(key, current);
      if (current.count > sameLinesPerMinuteMax) return;
      const leftOut = isNew ? (before?.count ?? 0) - sameLinesPerMinuteMax : 0;
      log[level](message, leftOut > 0 ? { ...fields, lines_left_out: leftOut } : fields, options);
    };
  return { debug: log.debug.bind(log), info: limited('info'), warn: limited('warn'), error: log.error.bind(log) };
}
