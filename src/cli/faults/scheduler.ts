/** Faults of the scheduler: no successful cleanup for two intervals, and no running scheduler. */
import { type Fault, type FaultContext, undoing } from './fault.ts';
import { refuseDeletions } from './storage.ts';

/** The shortest interval that the configuration accepts. */
const intervalHours = 0.25;
/** Two intervals, the `for` of the alert (one minute), and a minute for scrapes. */
const stalledSeconds = 2 * intervalHours * 3600 + 120;

/** The faults of the scheduler. */
export const schedulerFaults: readonly Fault[] = [
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
    does: 'starts a hub with scheduler.enabled false, and restarts it with a scheduler when the fault is undone',
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
  // Disposed last: a successful cleanup resolves the alert, and it needs a database without the refusal.
  parts.use(undoing(async () => void (await owned.hub.send('/v1/scheduler/run', { method: 'POST' }))));
  parts.use(await refuseDeletions(owned, async () => undoing(() => undefined)));
  return parts.move();
}
