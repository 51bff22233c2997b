/**
 * Records refused requests, with a count of repeats, so that nobody floods the audit trail. Events that a server causes over and
 * over are recorded alike. The first of a kind by one key, address or server is recorded at once, and repeats once in each interval. The sum of `count` (1 where it
 * is absent) is the number of refusals.
 */
import { BoundedMap } from '../../flow/bounded-map.ts';
import { anonymousCaller } from '../../shapes/access.ts';
import type { EventReport } from '../../telemetry/event-report.ts';
import { type AuditedEvent, eventName } from './entry.ts';

/** Records refusals. */
export interface Refusals {
  /**
   * Records a refusal, or counts it if the same one was recorded in this interval. Metrics and the span report each; the log has
   * a line for each record. Never throws.
   * @param source the key or address that was refused, or the server
   * @param sameBy what is the same in repeats of one source: all fields of the event, or its name alone
   */
  record(audited: AuditedEvent, source: string, sameBy?: 'fields' | 'event'): Promise<void>;
  /** Records the counts now. Called at the end of each interval and at shutdown. */
  flush(): Promise<void>;
}

/** Dependencies of the refusals. */
export interface RefusalsDeps {
  /** Appends a record; returns whether it was written. */
  append: (audited: AuditedEvent) => Promise<boolean>;
  /** Called for each refusal that is counted instead of recorded. */
  onCounted: (audited: AuditedEvent) => void;
  report: EventReport;
}

/** How often counts of repeated refusals are recorded, in milliseconds. */
export const refusalIntervalMs = 60_000;
/** The most different refusals that are counted. One more records the count of the oldest. */
export const refusalKindsMax = 10_000;
/**
 * The most refusals of one source and event that are recorded in an interval for their different fields. Further ones are counted
 * together: a key may ask for ever new names.
 */
export const kindsPerSourceMax = 100;
/**
 * The most addresses of which refusals of one event are recorded one by one in an interval, where nobody was authenticated. Those
 * of further ones are counted together: their records would not say who it was either.
 */
export const anonymousSourcesMax = 100;

interface Repeated {
  /** The last refusal, whose trace and span ids the record of the count carries. */
  last: AuditedEvent;
  count: number;
}

/** Creates the recorder. A timer runs only while refusals are counted. */
export function createRefusals({ append, onCounted, report }: RefusalsDeps): Refusals {
  const repeated = new BoundedMap<string, Repeated>(refusalKindsMax);
  const keys = createRefusalKeys((key) => repeated.has(key));
  let timer: NodeJS.Timeout | undefined;

  async function flush(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    const counted = [...repeated];
    keys.nextInterval();
    // A source that was refused in this interval begins the next one with a count of 0; the others are forgotten.
    for (const [key, { last, count }] of counted) {
      if (count === 0) repeated.delete(key);
      else repeated.set(key, { last, count: 0 });
    }
    if (repeated.size > 0) schedule();
    await Promise.all(counted.map(([, each]) => recordCount(each)));
  }

  async function recordCount({ last, count }: Repeated): Promise<void> {
    if (count === 0) return;
    const summary = { ...last, event: { ...last.event, fields: { ...last.event.fields, count } } };
    await append(summary);
    report(summary.event, summary.span, 'log');
  }

  function schedule(): void {
    timer ??= setTimeout(() => void flush(), refusalIntervalMs).unref();
  }

  return {
    record: async (audited, source, sameBy = 'fields') => {
      const key = keys.keyOf(audited, source, sameBy);
      const known = repeated.get(key);
      if (known !== undefined) {
        known.count += 1;
        known.last = audited;
        onCounted(audited);
        report(audited.event, audited.span, 'span and metrics');
        return;
      }
      schedule();
      const [, evicted] = repeated.set(key, { last: audited, count: 0 }) ?? [];
      await append(audited);
      report(audited.event, audited.span);
      if (evicted !== undefined) await recordCount(evicted);
    },
    flush,
  };
}

/** Keys of refusals: equal for those that are counted together. `isKnown` says whether a key was seen in this interval or the last. */
function createRefusalKeys(isKnown: (key: string) => boolean) {
  /** The different refusals in this interval, by source and event. */
  const kinds = new BoundedMap<string, number>(refusalKindsMax);
  /** The addresses of refusals in this interval for which nobody was authenticated. */
  const anonymous = new Set<string>();
  const countedSource = ({ by }: AuditedEvent, source: string): string => {
    if (by.keyId !== anonymousCaller.keyId || anonymous.has(source)) return source;
    if (anonymous.size >= anonymousSourcesMax) return 'further addresses';
    anonymous.add(source);
    return source;
  };
  return {
    keyOf: (audited: AuditedEvent, from: string, sameBy: 'fields' | 'event'): string => {
      const { event } = audited;
      const source = countedSource(audited, from);
      const group = JSON.stringify([source, eventName(event)]);
      if (sameBy === 'event') return group;
      const own = JSON.stringify([source, event.kind, event.fields]);
      if (isKnown(own)) return own;
      const count = (kinds.get(group) ?? 0) + 1;
      if (count > kindsPerSourceMax) return group;
      kinds.set(group, count);
      return own;
    },
    nextInterval: () => {
      kinds.clear();
      anonymous.clear();
    },
  };
}
