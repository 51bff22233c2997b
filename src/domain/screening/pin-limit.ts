/** Tools that are not offered because as many names of their server are pinned as may be. */
import { pinsPerServerMax } from '../../stores/tool-pin-store.ts';
import type { Log } from '../../telemetry/log.ts';
import type { Verdict } from './screening-results.ts';

/** The verdict of such a tool. */
export function unpinnedVerdict(digest: string): Verdict {
  return { digest, offered: false, isUnpinned: true };
}

/** The number of such tools. */
export function unpinnedCount(verdicts: ReadonlyMap<string, Verdict> | undefined): number {
  return verdicts?.values().reduce((count, { isUnpinned }) => count + (isUnpinned === true ? 1 : 0), 0) ?? 0;
}

/** Logs the number of such tools, if there are any. */
export function warnOfUnpinned(log: Log, serverId: string, verdicts: ReadonlyMap<string, Verdict>): void {
  const count = unpinnedCount(verdicts);
  if (count === 0) return;
  const message = 'Tools of an upstream server are not offered: as many of its names are pinned as may be';
  log.warn(message, { server_id: serverId, unpinned_count: count, pins_max: pinsPerServerMax });
}
