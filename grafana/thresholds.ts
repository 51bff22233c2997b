/**
 * Thresholds, windows and objectives of rules and dashboards, each with its unit and reason. Times are in seconds.
 * To change one, edit this file and run `npm run generate`.
 */

/** A threshold. The alert fires while the measured value is above it. */
export interface Threshold {
  above: number;
  /** The unit of `above`. */
  unit: string;
  reason: string;
}

/** A threshold over a window, and how long the condition must hold before the alert fires. */
export interface AlertThreshold extends Threshold {
  /** The window that the alert evaluates; 0 if it evaluates current values. */
  windowSeconds: number;
  forSeconds: number;
}

const minute = 60;
const hour = 60 * minute;
const day = 24 * hour;

/** The thresholds of the alerts, by condition. A count covers the window and one hub, unless the rule aggregates more. */
export const thresholds = {
  hubDown: {
    above: 0,
    unit: 'hubs that stopped sending metrics',
    windowSeconds: hour,
    forSeconds: minute,
    reason:
      'The collector keeps the series of a silent hub for two minutes; one more minute rules out a restart of the collector. A hub that shut down in order does not count. A hub that is never restarted drops out after the window.',
  },
  serverDisconnected: {
    above: 0,
    unit: 'configured servers that are not connected',
    windowSeconds: 0,
    forSeconds: 5 * minute,
    reason: 'The hub waits at most a minute between two attempts, so several attempts fail within five minutes.',
  },
  toolErrors: {
    above: 0.2,
    unit: 'share of calls',
    windowSeconds: 10 * minute,
    forSeconds: 5 * minute,
    reason:
      'Tools reject some calls, and agents correct themselves. If one call in five fails for a quarter of an hour, the server does not work.',
  },
  toolTimeouts: {
    above: 10,
    unit: 'calls',
    windowSeconds: hour,
    forSeconds: 0,
    reason:
      'Single timeouts happen. More than ten an hour mean that a server hangs, and each costs an agent half a minute.',
  },
  toolCallsSlow: {
    above: 5,
    unit: 'seconds, 95th percentile',
    windowSeconds: 10 * minute,
    forSeconds: 5 * minute,
    reason: 'An agent makes many calls for one answer. At five seconds each, its user gives up.',
  },
  toolCallsAbandoned: {
    above: 10,
    unit: 'calls',
    windowSeconds: 15 * minute,
    forSeconds: 0,
    reason:
      'Callers cancel for many reasons. Ten within a window, and twice as many as in the window before, have a common cause.',
  },
  skillRegistrationFailing: {
    above: 2,
    unit: 'activations',
    windowSeconds: 15 * minute,
    forSeconds: 0,
    reason:
      'The response reports a taken name to the caller. After the third within a window, nobody reads the responses.',
  },
  skillUnregistrationFailing: {
    above: 0,
    unit: 'deactivations',
    windowSeconds: 15 * minute,
    forSeconds: 0,
    reason: 'This must never happen: the registry and the tools that agents see disagree.',
  },
  skillInjectionAttempt: {
    above: 0,
    unit: 'attempts',
    windowSeconds: hour,
    forSeconds: 0,
    reason: 'Each is a deliberate attempt, whose origin must be investigated.',
  },
  toolDefinitionChanged: {
    above: 0,
    unit: 'changes',
    windowSeconds: hour,
    forSeconds: 0,
    reason: 'A tool whose definition differs from the reviewed one must be reviewed again before it is trusted.',
  },
  authenticationFailures: {
    above: 20,
    unit: 'requests',
    windowSeconds: 5 * minute,
    forSeconds: 0,
    reason: 'An expired key of one agent causes a few requests. A burst is guessing, or an agent that retries forever.',
  },
  accessDenied: {
    above: 20,
    unit: 'requests',
    windowSeconds: 5 * minute,
    forSeconds: 0,
    reason: 'A wrong role causes a few requests. A burst is someone probing for access.',
  },
  cleanupFailed: {
    above: 0,
    unit: 'runs of the cleanup',
    windowSeconds: hour,
    forSeconds: 0,
    reason:
      'It runs rarely, and the next run deletes what is left over. So one failure deserves a look, but nobody is paged.',
  },
  jobFailed: {
    above: 10,
    unit: 'runs of another job',
    windowSeconds: hour,
    forSeconds: 0,
    reason: 'They run every few seconds or minutes. If a locked database fails one of them, no harm is done.',
  },
  schedulerStalled: {
    above: 2,
    unit: 'intervals since the last success',
    windowSeconds: 0,
    forSeconds: minute,
    reason: 'One run may fail or be late. After two, expired skills and old records are overdue.',
  },
  schedulerNotRunning: {
    above: 0,
    unit: 'deployments without a scheduler',
    windowSeconds: 0,
    forSeconds: 5 * minute,
    reason: 'A hub that starts or stops has none for seconds.',
  },
  auditGap: {
    above: 0,
    unit: 'operations',
    windowSeconds: 0,
    forSeconds: 0,
    reason: 'The trail guarantees completeness. One missing record breaks this guarantee permanently.',
  },
  projectorLag: {
    above: 10,
    unit: 'seconds',
    windowSeconds: 0,
    forSeconds: 5 * minute,
    reason:
      'Reads of the trail wait 5 s for the views, and then fail. Building the views of some million records anew takes minutes.',
  },
  auditChainBroken: {
    above: 0,
    unit: 'verifications',
    windowSeconds: day,
    forSeconds: 0,
    reason:
      'The trail stays broken until someone acts, but verifications are infrequent. A window of a day keeps the alert active.',
  },
  telemetryDropped: {
    above: 0,
    unit: 'spans, log records or metric points',
    windowSeconds: 15 * minute,
    forSeconds: 0,
    reason: 'The queues cover an outage of a minute. Dropped items are missing from every dashboard.',
  },
  collectorDown: {
    above: 0,
    unit: 'targets',
    windowSeconds: 0,
    forSeconds: minute,
    reason: 'Four scrapes failed. Without the collector, no other alert can fire.',
  },
  collectorFailing: {
    above: 0,
    unit: 'spans, log records or metric points',
    windowSeconds: 15 * minute,
    forSeconds: 2 * minute,
    reason:
      'Exports to an unavailable backend are retried from the queue and do not count. Refused and lost items count.',
  },
  collectorQueueFilling: {
    above: 0.5,
    unit: 'share of the queue',
    windowSeconds: 5 * minute,
    forSeconds: 5 * minute,
    reason:
      'Half leaves time to act. A queue that only grows shows an unavailable backend long before a queue on disk is half full.',
  },
  metricOverflow: {
    above: 0,
    unit: 'folded values or series',
    windowSeconds: hour,
    forSeconds: 0,
    reason: 'From then on some tools or namespaces are counted together, and alerts by name miss them.',
  },
  eventLoopLag: {
    above: 0.1,
    unit: 'seconds, 99th percentile',
    windowSeconds: 0,
    forSeconds: 5 * minute,
    reason: 'The hub adds milliseconds to a call. A tenth of a second is longer than most tools take.',
  },
  chromaUnreachable: {
    above: 0,
    unit: 'queued items, and more than before',
    windowSeconds: 15 * minute,
    forSeconds: 5 * minute,
    reason: 'Calls do not wait for Chroma, and the backlog is written later. Minutes without it only delay learning.',
  },
  storageFailing: {
    above: 0,
    unit: 'reads or writes',
    windowSeconds: 10 * minute,
    forSeconds: 0,
    reason: 'A full, failing or corrupt disk does not recover, and every call needs a write.',
  },
  storageBusy: {
    above: 10,
    unit: 'reads or writes that timed out waiting for a lock',
    windowSeconds: 10 * minute,
    forSeconds: 0,
    reason: 'A backup or a burst may cause a few. A steady number means that another program holds the lock.',
  },
} as const satisfies Record<string, AlertThreshold>;

/** The minimum number of calls in a window for a meaningful share or percentile. */
export const callsMin = {
  /** Failed calls to one server. Below, a few mistakes of one agent would dominate the share. */
  toolErrors: 10,
  /** Calls to one server. The 95th percentile of fewer than twenty calls is their maximum. */
  toolCallsSlow: 20,
  /** Failed or slow calls in the long window of a burn rate. Below, a single call changes the share too much. */
  burn: 10,
} as const;

/** The minimum growth of the number of abandoned calls from one window to the next. */
export const abandonedGrowthFactor = 2;

/** The percentile of durations in the rules. */
export const durationQuantile = 0.95;

/**
 * A call that takes longer is slow, in seconds. A bucket bound of the histogram, so that the share of slow calls is exact.
 * Equal to the threshold of the percentile, so that alert and objective use the same definition.
 */
export const slowCallSeconds = thresholds.toolCallsSlow.above;

/** An objective for tool calls. `objective` is the promised share of good calls over the window of the objectives. */
export interface Objective {
  objective: number;
  good: string;
  reason: string;
}

/** The objectives for tool calls over {@link sloWindowSeconds}. Mistakes of callers count neither as good nor as bad. */
export const objectives = {
  availability: {
    objective: 0.995,
    good: 'neither the server nor the hub failed',
    reason:
      'One call in two hundred may fail, because agents retry and the hub does not control the availability of upstream servers.',
  },
  latency: {
    objective: 0.99,
    good: `a successful call took at most ${slowCallSeconds} s`,
    reason: 'Some tools are inherently slow. One call in a hundred leaves room for them.',
  },
} as const satisfies Record<string, Objective>;

/** The window of the objectives and of the error budget. */
export const sloWindowSeconds = 30 * day;

/** A pair of windows. In both, the burn rate must exceed `factor`, where 1 uses up the budget exactly in its window. */
export interface BurnWindow {
  severity: 'critical' | 'warning';
  longSeconds: number;
  shortSeconds: number;
  factor: number;
  forSeconds: number;
}

/**
 * At these burn rates, the long windows spend 2, 5, 10 and 10 % of the budget of 30 days. Source: Google, The Site
 * Reliability Workbook, chapter 5, "Multiwindow, Multi-Burn-Rate Alerts". Values of `forSeconds` as in kubernetes-mixin.
 */
export const burnWindows: readonly BurnWindow[] = [
  { severity: 'critical', longSeconds: hour, shortSeconds: 5 * minute, factor: 14.4, forSeconds: 2 * minute },
  { severity: 'critical', longSeconds: 6 * hour, shortSeconds: 30 * minute, factor: 6, forSeconds: 15 * minute },
  { severity: 'warning', longSeconds: day, shortSeconds: 2 * hour, factor: 3, forSeconds: hour },
  { severity: 'warning', longSeconds: 3 * day, shortSeconds: 6 * hour, factor: 1, forSeconds: 3 * hour },
];
