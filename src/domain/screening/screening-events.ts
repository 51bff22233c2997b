/** Records what screening finds: each result, or counts where a server or a key causes many in a minute. */
import { BoundedMap } from '../../flow/bounded-map.ts';
import type { Transaction } from '../../stores/database.ts';
import { refusalIntervalMs } from '../audit/refusals.ts';
import type { AuditedEvent, AuditTrail } from '../audit/trail.ts';

/** Records results, so that a server whose lists always change cannot flood the audit trail. */
export interface ScreeningEvents {
  /**
   * Writes a result, with a record of each of its events in the same transaction. Once a source has caused
   * {@link recordedPerMinuteMax} events in a minute, further ones are counted, and the counts are recorded at its end.
   * @param source the server or the key that causes the events
   * @throws HestiaError STORAGE_FAILED; then nothing is written or counted
   */
  commit(source: string, events: readonly AuditedEvent[], write: (tx: Transaction) => Promise<void>): Promise<void>;
}

/** The most events of one source that are recorded one by one in a minute. */
export const recordedPerMinuteMax = 100;
/** The most sources that are counted. Beyond it, the oldest one begins anew. */
const sourcesMax = 10_000;

/** Creates the recorder. `now` returns a time in milliseconds that never goes back. */
export function createScreeningEvents(
  trail: Pick<AuditTrail, 'commit' | 'refusals'>,
  now: () => number = () => performance.now(),
): ScreeningEvents {
  const sources = new BoundedMap<string, { since: number; count: number }>(sourcesMax);
  const isRecorded = (source: string, count: number): boolean => {
    const known = sources.get(source);
    const current = known !== undefined && now() - known.since < refusalIntervalMs ? known : { since: now(), count: 0 };
    current.count += count;
    sources.set(source, current);
    return current.count <= recordedPerMinuteMax;
  };
  return {
    commit: async (source, events, write) => {
      if (isRecorded(source, events.length)) return trail.commit(events, write);
      await trail.commit([], write);
      for (const audited of events) await trail.refusals.record(audited, source, 'event');
    },
  };
}
