/** Faults of the scheduler: no success for two intervals, and no scheduler at all. */
import { type Fault, type FaultContext, undoing } from './fault.ts';
import { refuseDeletions } from './storage.ts';

/** The shortest interval there is. */
const intervalHours = 0.25;
/** Two intervals, the minute that the alert waits, and something for scrapes. */
const stalledSeconds = 2 * intervalHours * 3600 + 120;

/** The faults. */
export const faultsOfScheduler: readonly Fault[] = [
  {
    name: 'scheduler-stalled',
    alert: 'HestiaSchedulerStalled',
    place: 'own hub',
    does: `lets no cleanup succeed for two intervals of ${intervalHours * 60} minutes`,
    holdSecondsMin: stalledSeconds,
    make: stall,
  },
  {
    name: 'scheduler-not-running',
    alert: 'HestiaSchedulerNotRunning',
    place: 'own hub',
    does: 'starts a hub with scheduler.enabled false, and one with it when the fault is undone',
    make: async (context) => {
      const owned = await context.startHub({ file: { scheduler: { enabled: false } } });
      return undoing(async () => {
        await owned.stop();
        await owned.start({});
      });
    },
  },
];

async function stall(context: FaultContext): Promise<AsyncDisposable> {
  const owned = await context.startHub({ file: { scheduler: { intervalHours } } });
  await using parts = new AsyncDisposableStack();
  // Undone last: the cleanup that succeeds ends it.
  parts.use(undoing(async () => void (await owned.hub.send('/v1/scheduler/run', { method: 'POST' }))));
  parts.use(await refuseDeletions(owned, async () => undoing(() => undefined)));
  return parts.move();
}
