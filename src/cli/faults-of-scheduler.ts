/** Faults of the scheduler: no success for a long time, and no scheduler at all. */
import { DatabaseSync } from 'node:sqlite';
import { type Fault, type FaultContext, undoing } from './fault.ts';

const dayMs = 86_400_000;
/** Longer than two of the longest intervals. */
const stalledMs = 10 * dayMs;

/** The faults. */
export const faultsOfScheduler: readonly Fault[] = [
  {
    name: 'scheduler-stalled',
    alert: 'HestiaSchedulerStalled',
    place: 'own hub',
    does: 'starts a hub whose last cleanup was ten days ago; a cleanup undoes it',
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
  // The longest interval, so that the clock does not undo it meanwhile.
  const owned = await context.startHub({ file: { scheduler: { intervalHours: 24 } } });
  await owned.stop();
  const database = new DatabaseSync(owned.databaseFile);
  database.prepare('UPDATE scheduler_totals SET last_success_time = ?').run(Date.now() - stalledMs);
  database.close();
  await owned.start();
  return undoing(async () => void (await owned.hub.send('/v1/scheduler/run', { method: 'POST' })));
}
