/** Cases of the alerts on the hub: inputs for which they fire, and near misses. */
import type { AlertCase } from './rule-case.ts';
import { hub } from './rule-case.ts';

const warning = { severity: 'warning' };
const critical = { severity: 'critical' };

const scrapeOfHubs = 'up{job="hestia", instance="collector:9464"}';
const lastCleanup = 'hestia_scheduler_last_success_time_seconds{hestia_job_name="cleanup"}';
const hourly = { hestia_scheduler_interval_seconds: '3600x200', hestia_scheduler_running: '1x200' };

/** The cases of alerts on the hub. */
export const hubAlertCases: readonly AlertCase[] = [
  {
    alert: 'HestiaHubDown',
    when: 'one of two hubs stops sending metrics',
    input: { hestia_audit_gap: '0x60', 'hestia_audit_gap{instance="hub-2"}': '0x5 stale', [scrapeOfHubs]: '1x60' },
    at: '10m',
    fires: [
      {
        labels: { ...critical, job: hub.job, instance: 'hub-2' },
        description: 'The hub hub-2 has stopped sending metrics, while other hubs still send them.',
      },
    ],
  },
  {
    alert: 'HestiaHubDown',
    when: 'one of two hubs shuts down in order',
    input: {
      hestia_audit_gap: '0x60',
      'hestia_audit_gap{instance="hub-2"}': '0x5 stale',
      'hestia_ending{instance="hub-2"}': '0x4 1 stale',
      [scrapeOfHubs]: '1x60',
    },
    at: '10m',
    fires: [],
  },
  {
    alert: 'HestiaHubDown',
    when: 'a hub that shut down in order and was restarted stops sending metrics',
    input: {
      hestia_audit_gap: '0x60',
      'hestia_audit_gap{instance="hub-2"}': '0x3 stale stale 0x5 stale',
      'hestia_ending{instance="hub-2"}': '0x2 1 stale stale 0x5 stale',
      [scrapeOfHubs]: '1x60',
    },
    at: '15m',
    fires: [
      {
        labels: { ...critical, job: hub.job, instance: 'hub-2' },
        description: 'The hub hub-2 has stopped sending metrics, while other hubs still send them.',
      },
    ],
  },
  {
    alert: 'HestiaHubDown',
    when: 'the only hub stops sending metrics',
    input: { hestia_audit_gap: '0x5 stale', [scrapeOfHubs]: '1x60' },
    at: '10m',
    fires: [{ labels: critical, description: 'No hub sends metrics to the collector.' }],
  },
  {
    alert: 'HestiaHubDown',
    when: 'no hub ever sent metrics',
    input: { [scrapeOfHubs]: '1x60' },
    at: '2m',
    fires: [{ labels: critical, description: 'No hub sends metrics to the collector.' }],
  },
  {
    alert: 'HestiaHubDown',
    when: 'the collector is down',
    input: { hestia_audit_gap: '0x5 stale', [scrapeOfHubs]: '1x5 0x60' },
    at: '20m',
    fires: [],
  },
  {
    alert: 'HestiaHubDown',
    when: 'a hub pauses for a moment',
    input: { hestia_audit_gap: '0 0 0 stale 0 0 0', [scrapeOfHubs]: '1x60' },
    at: '4m',
    fires: [],
  },
  {
    alert: 'HestiaEventLoopLag',
    when: 'the loop lags for five minutes',
    input: { nodejs_eventloop_delay_p99_seconds: '0.2x10' },
    at: '6m',
    fires: [
      {
        labels: { ...warning, ...hub },
        description: 'The event loop on the hub hub-1 has lagged by 200ms (99th percentile) for 5m (threshold 0.1s).',
      },
    ],
  },
  {
    alert: 'HestiaEventLoopLag',
    when: 'the lag is interrupted',
    input: { nodejs_eventloop_delay_p99_seconds: '0.2 0.2 0.2 0.1 0.2 0.2 0.2' },
    at: '6m',
    fires: [],
  },
  {
    alert: 'HestiaStorageFailing',
    when: 'the disk is full once',
    input: { 'hestia_storage_failures_total{error_type="full"}': '0 0 1x10' },
    at: '4m',
    fires: [
      {
        labels: { ...critical, ...hub, error_type: 'full' },
        description:
          '1 reads or writes of the database failed as "full" in the last 10m, on the hub hub-1 (threshold 0; 10 if the database was only busy).',
      },
    ],
  },
  {
    alert: 'HestiaStorageFailing',
    when: 'the database was busy ten times',
    input: { 'hestia_storage_failures_total{error_type="busy"}': '0 0 10x10' },
    at: '4m',
    fires: [],
  },
  {
    alert: 'HestiaAuditGap',
    when: 'one operation is missing',
    input: { hestia_audit_gap: '0 0 1x10' },
    at: '2m',
    fires: [
      {
        labels: { ...critical, ...hub },
        description: '1 operations since the start of the hub hub-1 are not recorded (threshold 0).',
      },
    ],
  },
  { alert: 'HestiaAuditGap', when: 'none is missing', input: { hestia_audit_gap: '0x10' }, at: '5m', fires: [] },
  {
    alert: 'HestiaProjectorLag',
    when: 'the views are late for five minutes',
    input: { hestia_projector_lag_seconds: '0 15+60x30' },
    at: '6m',
    fires: [
      {
        labels: { ...warning, ...hub },
        description:
          'An audit record on the hub hub-1 has been missing in the views for 5m 15s, and the views have been late for 5m (threshold 10s).',
      },
    ],
  },
  {
    alert: 'HestiaProjectorLag',
    when: 'the views are built anew within minutes',
    input: { hestia_projector_lag_seconds: '0 15 75 135 195 0x20' },
    at: '8m',
    fires: [],
  },
  {
    alert: 'HestiaChromaUnreachable',
    when: 'Chroma has not responded for five minutes, whatever the backlog',
    input: { hestia_chroma_up: '0x60', hestia_chroma_backlog: '0+10x60' },
    at: '50m',
    fires: [
      {
        labels: { ...warning, ...hub, problem: 'unreachable' },
        description: 'Chroma has not answered the hub hub-1 for 5m.',
      },
    ],
  },
  {
    alert: 'HestiaChromaUnreachable',
    when: 'Chroma responds, and the backlog grows',
    input: { hestia_chroma_up: '1x60', hestia_chroma_backlog: '0+10x60' },
    at: '50m',
    fires: [
      {
        labels: { ...warning, ...hub, problem: 'backlog' },
        description: '500 items of the hub hub-1 are queued for Chroma, and the queue has grown for 15m.',
      },
    ],
  },
  {
    alert: 'HestiaChromaUnreachable',
    when: 'the backlog is constant, and Chroma was down for a moment',
    input: { hestia_chroma_up: '1x10 0x3 1x60', hestia_chroma_backlog: '50x60' },
    at: '14m',
    fires: [],
  },
  {
    alert: 'HestiaCleanupFailed',
    when: 'one cleanup failed',
    input: { 'hestia_scheduler_runs_total{hestia_job_name="cleanup", hestia_job_result="failure"}': '0 0 1x10' },
    at: '4m',
    fires: [
      {
        labels: { ...warning, ...hub, hestia_job_name: 'cleanup' },
        description:
          '1 runs of the job "cleanup" failed in the last 1h, on the hub hub-1 (threshold 0 for the cleanup, 10 for others).',
      },
    ],
  },
  {
    alert: 'HestiaCleanupFailed',
    when: 'a frequent job failed ten times, and a cleanup was skipped',
    input: {
      'hestia_scheduler_runs_total{hestia_job_name="expiration", hestia_job_result="failure"}': '0 0 10x10',
      'hestia_scheduler_runs_total{hestia_job_name="cleanup", hestia_job_result="skipped"}': '0 0 1x10',
    },
    at: '4m',
    fires: [],
  },
  {
    alert: 'HestiaSchedulerStalled',
    when: 'the last success is more than two intervals ago',
    input: { [lastCleanup]: '0x200', process_uptime_seconds: '9000+60x200', ...hourly },
    at: '125m',
    fires: [
      {
        labels: { ...warning, job: hub.job },
        description:
          'The last successful cleanup was 2h 5m 0s ago (threshold 2 intervals). Expired skills and records are not deleted.',
      },
    ],
  },
  {
    alert: 'HestiaSchedulerStalled',
    when: 'there was never a success',
    input: { process_uptime_seconds: '0+60x200', ...hourly },
    at: '125m',
    fires: [
      {
        labels: { ...warning, job: hub.job },
        description:
          'The last successful cleanup was 2h 5m 0s ago (threshold 2 intervals). Expired skills and records are not deleted.',
      },
    ],
  },
  {
    alert: 'HestiaSchedulerStalled',
    when: 'another hub had a success',
    input: {
      [lastCleanup]: '0x200',
      'hestia_scheduler_last_success_time_seconds{instance="hub-2", hestia_job_name="cleanup"}': '600x200',
      process_uptime_seconds: '0+60x200',
      ...hourly,
    },
    at: '125m',
    fires: [],
  },
  {
    alert: 'HestiaSchedulerStalled',
    when: 'the hub was down in between and has just started',
    input: { [lastCleanup]: '0x200', process_uptime_seconds: '_x100 0+60x100', ...hourly },
    at: '150m',
    fires: [],
  },
  {
    alert: 'HestiaSchedulerNotRunning',
    when: 'none of two hubs runs it',
    input: { hestia_scheduler_running: '0x10', 'hestia_scheduler_running{instance="hub-2"}': '0x10' },
    at: '6m',
    fires: [
      {
        labels: { ...warning, job: hub.job },
        description:
          'Hubs are up, but none of them has run the scheduler for 5m. Skills do not expire and nothing is cleaned up.',
      },
    ],
  },
  {
    alert: 'HestiaSchedulerNotRunning',
    when: 'one of two hubs runs it',
    input: { hestia_scheduler_running: '0x10', 'hestia_scheduler_running{instance="hub-2"}': '1x10' },
    at: '6m',
    fires: [],
  },
];
