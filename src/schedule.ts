/**
 * The schedule: a table of jobs, each a cron line and one call into the domain. No job overlaps itself, and one that
 * throws is counted and runs again at its next time.
 */
import { schedule as scheduleCron } from 'node-cron';
import type { AccessService } from './domain/access-service.ts';
import type { Cleanup } from './domain/cleanup.ts';
import type { SchedulerService } from './domain/scheduler-service.ts';
import type { SkillLifecycle } from './domain/skill-lifecycle.ts';
import type { SkillSync } from './domain/skill-sync.ts';
import type { JobName } from './shapes/scheduler.ts';
import type { Log } from './telemetry/log.ts';
import type { Metrics } from './telemetry/metrics.ts';

/** A running schedule. */
export interface Schedule {
  start(): Promise<void>;
  /** Starts no further run, waits for a cleanup under way, and tells of the stop. */
  stop(): Promise<void>;
}

/** What the schedule calls. */
export interface ScheduleDeps {
  access: AccessService;
  cleanup: Cleanup;
  lifecycle: SkillLifecycle;
  skillSync: SkillSync;
  /** Verifies the next piece of the audit trail. */
  verifyAudit: () => Promise<void>;
  schedulerService: SchedulerService;
  metrics: Metrics;
  log: Log;
  intervalHours: number;
  /** False: nothing is ever started, and the status says that the scheduler does not run. */
  enabled: boolean;
}

interface Job {
  name: JobName;
  cronLine: string;
  run: () => Promise<void>;
}

/** Activations ended in one run of the expiration job; the next run is seconds away. */
const expirationsMax = 500;

/** Makes the schedule; nothing runs before `start`. */
export function createSchedule(deps: ScheduleDeps): Schedule {
  const jobs: Job[] = [
    {
      name: 'cleanup',
      cronLine: cleanupCronLine(deps.intervalHours),
      run: async () => void (await deps.cleanup.run()),
    },
    {
      name: 'expiration',
      cronLine: '*/5 * * * * *',
      run: async () => deps.metrics.cleanupDeleted(await deps.lifecycle.expire(expirationsMax), 'activations'),
    },
    { name: 'key_use', cronLine: '30 * * * * *', run: () => deps.access.saveUses() },
    { name: 'skill_sync', cronLine: '*/5 * * * *', run: () => deps.skillSync.fullPass() },
    { name: 'audit_verify', cronLine: '45 * * * * *', run: deps.verifyAudit },
  ];
  let stopTasks: () => Promise<void> = async () => undefined;
  return {
    start: async () => {
      if (!deps.enabled) return deps.log.warn('The scheduler does not run: scheduler.enabled is false');
      const tasks = jobs.map((job) =>
        scheduleCron(job.cronLine, () => runJob(deps, job), {
          name: job.name,
          noOverlap: true,
          suppressMissedWarning: true,
          logger: quiet,
        }),
      );
      stopTasks = async () => {
        await Promise.all(tasks.map((task) => task.destroy()));
      };
      await deps.schedulerService.started(() => tasks[0]?.getNextRun()?.getTime());
    },
    stop: async () => {
      await stopTasks();
      await deps.cleanup.stop();
      if (deps.enabled) await deps.schedulerService.stopped();
    },
  };
}

/** The cron line of an interval; intervals are whole fractions of an hour or of a day. */
export function cleanupCronLine(intervalHours: number): string {
  if (intervalHours < 1) return `*/${intervalHours * 60} * * * *`;
  return intervalHours === 24 ? '0 0 * * *' : `0 */${intervalHours} * * *`;
}

/** The cleanup counts and times itself, since it also runs on request. */
async function runJob({ schedulerService, metrics, log }: ScheduleDeps, { name, run }: Job): Promise<void> {
  const startedAt = performance.now();
  const count = (result: 'success' | 'failure') =>
    metrics.schedulerRun((performance.now() - startedAt) / 1000, name, result);
  try {
    await run();
    if (name === 'cleanup') return;
    schedulerService.succeeded(name);
    count('success');
  } catch (error) {
    count('failure');
    log.error('A scheduled job failed', { job: name }, { error });
  }
}

/** Overlaps and missed runs are told by our own metrics, not on the console. */
const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined, debug: () => undefined };
