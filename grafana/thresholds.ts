/**
 * Every threshold, window and objective that rules and dashboards use, once, with its unit and the reason for it. To
 * change one, change it here and run `npm run generate`. Times are seconds.
 */

/** One threshold: the alert fires where what is measured is above it. */
export interface Threshold {
  above: number;
  /** What `above` counts. */
  unit: string;
  reason: string;
}

/** What an alert looks at: a threshold over a window, and how long it must hold before anyone is told. */
export interface AlertThreshold extends Threshold {
  /** How far back the alert looks; 0 where it reads values of the moment. */
  windowSeconds: number;
  forSeconds: number;
}

const minute = 60;
const hour = 60 * minute;
const day = 24 * hour;

/** The thresholds of the alerts, by condition. A count is over the window, of one hub unless the rule adds up more. */
export const thresholds = {
  hubDown: {
    above: 0,
    unit: 'hubs that went silent',
    windowSeconds: hour,
    forSeconds: minute,
    reason:
      'The collector keeps the series of a silent hub for two minutes already; one more rules out a restart of the collector. A hub that was told to end does not count; one that is never started again is forgotten after the window.',
  },
  serverDisconnected: {
    above: 0,
    unit: 'wanted servers that are not connected',
    windowSeconds: 0,
    forSeconds: 5 * minute,
    reason: 'The hub waits at most a minute between two attempts, so five minutes are several that failed.',
  },
  toolErrors: {
    above: 0.2,
    unit: 'share of calls',
    windowSeconds: 10 * minute,
    forSeconds: 5 * minute,
    reason:
      'Tools say no now and then, and agents correct themselves; one call in five for a quarter of an hour is a server that does not work.',
  },
  toolTimeouts: {
    above: 10,
    unit: 'calls',
    windowSeconds: hour,
    forSeconds: 0,
    reason:
      'Single timeouts happen; more than ten an hour is a server that hangs, and each costs an agent half a minute.',
  },
  toolCallsSlow: {
    above: 5,
    unit: 'seconds, 95th percentile',
    windowSeconds: 10 * minute,
    forSeconds: 5 * minute,
    reason: 'An agent makes many calls for one answer; at five seconds each, the person behind it gives up.',
  },
  toolCallsAbandoned: {
    above: 10,
    unit: 'calls',
    windowSeconds: 15 * minute,
    forSeconds: 0,
    reason:
      'Callers may change their mind; ten within a window and twice as many as in the one before is a cause they share.',
  },
  skillRegistrationFailing: {
    above: 2,
    unit: 'activations',
    windowSeconds: 15 * minute,
    forSeconds: 0,
    reason: 'One taken name is told to the one who chose it; the third within a window is nobody reading the answer.',
  },
  skillUnregistrationFailing: {
    above: 0,
    unit: 'deactivations',
    windowSeconds: 15 * minute,
    forSeconds: 0,
    reason: 'It must not happen: the registry and the tools that agents see disagree.',
  },
  skillInjectionAttempt: {
    above: 0,
    unit: 'attempts',
    windowSeconds: hour,
    forSeconds: 0,
    reason: 'Each is somebody, or something, trying; someone must look at who.',
  },
  toolDefinitionChanged: {
    above: 0,
    unit: 'changes',
    windowSeconds: hour,
    forSeconds: 0,
    reason: 'A tool that means something else than what was reviewed must be reviewed again before it is trusted.',
  },
  authenticationFailures: {
    above: 20,
    unit: 'requests',
    windowSeconds: 5 * minute,
    forSeconds: 0,
    reason: 'An expired key of one agent is a few requests; a burst is guessing, or an agent that retries without end.',
  },
  accessDenied: {
    above: 20,
    unit: 'requests',
    windowSeconds: 5 * minute,
    forSeconds: 0,
    reason: 'A wrong role shows in a few requests; a burst is someone trying doors.',
  },
  cleanupFailed: {
    above: 0,
    unit: 'runs of the cleanup',
    windowSeconds: hour,
    forSeconds: 0,
    reason: 'It runs seldom and repeats what is left over, so one failure is worth a look and none is worth a night.',
  },
  jobFailed: {
    above: 10,
    unit: 'runs of another job',
    windowSeconds: hour,
    forSeconds: 0,
    reason: 'They run every few seconds or minutes; a locked database fails one of them without harm.',
  },
  schedulerStalled: {
    above: 2,
    unit: 'intervals since the last success',
    windowSeconds: 0,
    forSeconds: minute,
    reason: 'One run may fail or be late; after two, expired skills and old records are past their time.',
  },
  schedulerNotRunning: {
    above: 0,
    unit: 'deployments without a scheduler',
    windowSeconds: 0,
    forSeconds: 5 * minute,
    reason: 'A hub that starts or stops is without one for seconds.',
  },
  auditGap: {
    above: 0,
    unit: 'operations',
    windowSeconds: 0,
    forSeconds: 0,
    reason: 'The trail promises to hold everything; one missing record breaks the promise for good.',
  },
  auditChainBroken: {
    above: 0,
    unit: 'verifications',
    windowSeconds: day,
    forSeconds: 0,
    reason: 'It stays broken until someone acts, and nobody verifies every minute: a day keeps it in sight.',
  },
  telemetryDropped: {
    above: 0,
    unit: 'spans, log records or metric points',
    windowSeconds: 15 * minute,
    forSeconds: 0,
    reason: 'The queues hold what an outage of a minute brings; what is dropped is missing from every picture.',
  },
  collectorDown: {
    above: 0,
    unit: 'targets',
    windowSeconds: 0,
    forSeconds: minute,
    reason: 'Four scrapes failed; without the collector nothing else on this list is seen.',
  },
  collectorFailing: {
    above: 0,
    unit: 'spans, log records or metric points',
    windowSeconds: 15 * minute,
    forSeconds: 2 * minute,
    reason: 'Backends that are away are retried from the queue and do not count; what counts is refused or lost.',
  },
  collectorQueueFilling: {
    above: 0.5,
    unit: 'share of the queue',
    windowSeconds: 5 * minute,
    forSeconds: 5 * minute,
    reason:
      'Half leaves time to act. A queue that only grows is a backend that is away, long before a queue on disk is half full.',
  },
  metricOverflow: {
    above: 0,
    unit: 'folded values or series',
    windowSeconds: hour,
    forSeconds: 0,
    reason: 'From then on some tools or namespaces are told together, and alerts by name miss them.',
  },
  eventLoopLag: {
    above: 0.1,
    unit: 'seconds, 99th percentile',
    windowSeconds: 0,
    forSeconds: 5 * minute,
    reason: 'The hub adds milliseconds to a call; a tenth of a second is longer than most tools take.',
  },
  chromaUnreachable: {
    above: 0,
    unit: 'items that wait, and more of them than before',
    windowSeconds: 15 * minute,
    forSeconds: 5 * minute,
    reason:
      'Calls do not wait for Chroma and the backlog is written later; minutes without it cost nothing but freshness.',
  },
  storageFailing: {
    above: 0,
    unit: 'reads or writes',
    windowSeconds: 10 * minute,
    forSeconds: 0,
    reason: 'A full, failing or corrupt disk does not heal, and every call needs a write.',
  },
  storageBusy: {
    above: 10,
    unit: 'reads or writes that had to give up waiting',
    windowSeconds: 10 * minute,
    forSeconds: 0,
    reason: 'A backup or a burst may cost a few; a steady number means that someone else holds the database.',
  },
} as const satisfies Record<string, AlertThreshold>;

/** The fewest calls in a window that a share or a percentile is taken of seriously. */
export const callsMin = {
  /** Failed calls to one server: below, one agent's bad minute is no share worth telling. */
  toolErrors: 10,
  /** Calls to one server: the 95th percentile of fewer than twenty is their maximum. */
  toolCallsSlow: 20,
  /** Failed or slow calls in the long window of a burn: below, one call moves the share by too much. */
  burn: 10,
} as const;

/** How much the number of abandoned calls must grow from one window to the next to count as rising. */
export const abandonedGrowthFactor = 2;

/** The percentile of durations that rules watch. */
export const durationQuantile = 0.95;

/**
 * A call is slow above this many seconds. A bound of the histogram's buckets, so that the share of slow calls is exact;
 * the same as the percentile's threshold, so that alert and objective mean the same by slow.
 */
export const slowCallSeconds = thresholds.toolCallsSlow.above;

/** An objective for tool calls. `objective` is the share of good calls promised over the SLO's window. */
export interface Objective {
  objective: number;
  good: string;
  reason: string;
}

/** What is promised of tool calls over {@link sloWindowSeconds}; mistakes of the caller's own count neither way. */
export const objectives = {
  availability: {
    objective: 0.995,
    good: 'the server and the hub did their part',
    reason: 'One call in two hundred may fail: an agent tries again, and upstream servers are not ours to keep up.',
  },
  latency: {
    objective: 0.99,
    good: `a successful call took at most ${slowCallSeconds} s`,
    reason: 'Some tools are slow by nature; one call in a hundred leaves room for them.',
  },
} as const satisfies Record<string, Objective>;

/** The window of the objectives, and of the error budget. */
export const sloWindowSeconds = 30 * day;

/** A pair of windows that must both burn the budget `factor` times as fast as it lasts. */
export interface BurnWindow {
  severity: 'critical' | 'warning';
  longSeconds: number;
  shortSeconds: number;
  factor: number;
  forSeconds: number;
}

/**
 * When the long window is full, 2, 5, 10 and 10 % of the budget of 30 days are spent. Source: Google, The Site
 * Reliability Workbook, chapter 5, "Multiwindow, Multi-Burn-Rate Alerts"; how long it must last, as in kubernetes-mixin.
 */
export const burnWindows: readonly BurnWindow[] = [
  { severity: 'critical', longSeconds: hour, shortSeconds: 5 * minute, factor: 14.4, forSeconds: 2 * minute },
  { severity: 'critical', longSeconds: 6 * hour, shortSeconds: 30 * minute, factor: 6, forSeconds: 15 * minute },
  { severity: 'warning', longSeconds: day, shortSeconds: 2 * hour, factor: 3, forSeconds: hour },
  { severity: 'warning', longSeconds: 3 * day, shortSeconds: 6 * hour, factor: 1, forSeconds: 3 * hour },
];
