/**
 * Records refused requests, with a count of repeats, so that nobody floods the audit trail.
 * The first of a kind by one key or address is recorded at once, and repeats once in each interval. The sum of `count` (1 where it
 * is absent) is the number of refusals.
 */
import { BoundedMap } from '../../flow/bounded-map.ts';
import type { EventReport } from '../../telemetry/event-report.ts';
import type { AuditedEvent } from './entry.ts';

/** Records refusals. */
export interface Refusals {
  /**
   * Records a refusal, or counts it if the same one was recorded in this interval. Metrics and the span report each; the log has
   * a line for each record. Never throws.
   * @param source the key or address that was refused; refusals of one source with the same fields are the same
   */
  record(audited: AuditedEvent, source: string): Promise<void>;
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

interface Repeated {
  /** The last refusal, whose trace and span ids the record of the count carries. */
  last: AuditedEvent;
  count: number;
}

/** Creates the recorder. A timer runs only while refusals are counted. */
export function createRefusals({ append, onCounted, report }: RefusalsDeps): Refusals {
  const repeated = new BoundedMap<string, Repeated>(refusalKindsMax);
  let timer: NodeJS.Timeout | undefined;

  async function flush(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    const counted = [...repeated];
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
    const { event, ...rest } = last;
    const summary = { ...rest, event: { ...event, fields: { ...event.fields, count } } };
    await append(summary);
    report(summary.event, summary.span, 'log');
  }

  function schedule(): void {
    timer ??= setTimeout(() => void flush(), refusalIntervalMs).unref();
  }

  return {
    record: async (audited, source) => {
      const key = JSON.stringify([source, audited.event.kind, audited.event.fields]);
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
