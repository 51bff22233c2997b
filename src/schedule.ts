/**
 * The schedule of background jobs: each has a cron expression and calls one use case. Runs of a job do not overlap. A run that
 * fails is counted and logged, and the job runs again at its next time.
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

/** Runs the jobs. */
export interface Schedule {
  /** Starts the jobs and records the start; does nothing if the scheduler is disabled. */
  start(): Promise<void>;
  /** Prevents further runs, waits for a cleanup in progress, and records the stop. */
  stop(): Promise<void>;
}

/** Dependencies of the schedule. */
export interface ScheduleDeps {
  access: AccessService;
  cleanup: Cleanup;
  lifecycle: SkillLifecycle;
  skillSync: SkillSync;
  /** Verifies the next part of the audit trail. */
  verifyAudit: () => Promise<void>;
  schedulerService: SchedulerService;
  metrics: Metrics;
  log: Log;
  intervalHours: number;
  /** False: no job is ever started, and the status reports that the scheduler does not run. */
  enabled: boolean;
}

interface Job {
  name: JobName;
  cronExpression: string;
  run: () => Promise<void>;
}

/** The most activations that one run of the expiration job ends; the next run follows in 5 seconds. */
const expirationsMax = 500;

/** Creates the schedule. Nothing runs before `start`. */
export function createSchedule(deps: ScheduleDeps): Schedule {
  const jobs: Job[] = [
    {
      name: 'cleanup',
      cronExpression: cleanupCronExpression(deps.intervalHours),
      run: async () => void (await deps.cleanup.run()),
    },
    {
      name: 'expiration',
      cronExpression: '*/5 * * * * *',
      run: async () => deps.metrics.cleanupDeleted(await deps.lifecycle.expire(expirationsMax), 'activations'),
    },
    { name: 'key_use', cronExpression: '30 * * * * *', run: () => deps.access.saveUses() },
    { name: 'skill_sync', cronExpression: '*/5 * * * *', run: () => deps.skillSync.fullPass() },
    { name: 'audit_verify', cronExpression: '45 * * * * *', run: deps.verifyAudit },
  ];
  let stopTasks: () => Promise<void> = async () => undefined;
  return {
    start: async () => {
      if (!deps.enabled) return deps.log.warn('The scheduler does not run: scheduler.enabled is false');
      const tasks = jobs.map((job) =>
        scheduleCron(job.cronExpression, () => runJob(deps, job), {
          name: job.name,
          noOverlap: true,
          suppressMissedWarning: true,
          logger: silentLogger,
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

/** The cron expression of a cleanup interval. Intervals divide an hour or a day evenly. */
export function cleanupCronExpression(intervalHours: number): string {
  if (intervalHours < 1) return `*/${intervalHours * 60} * * * *`;
  return intervalHours === 24 ? '0 0 * * *' : `0 */${intervalHours} * * *`;
}

/** Runs a job, and counts and times the run. The cleanup counts its own runs, since it also runs on request. */
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

/** Discards messages of the cron library about overlapping and missed runs: the hub has metrics for them. */
const silentLogger = { info: () => undefined, warn: () => undefined, error: () => undefined, debug: () => undefined };
