/** Alerts on tool calls: disconnected, failing, hanging and slow servers, and abandoned calls. */
import { labels, series } from '../prometheus-name.ts';
import { abandonedGrowthFactor, callsMin, thresholds } from '../thresholds.ts';
import { countedBy, duration, growth, hubLabels, oneOf, type RuleOptions, ruleWindow, selector } from './promql.ts';
import { serverRecords } from './recording-rules.ts';
import type { Alert } from './rule.ts';
import { errorTypesOf } from './tool-error-fault.ts';

const byServer = `job, ${labels.serverId}`;
/** The name of the server in a template. */
const server = `{{ $labels.${labels.serverId} }}`;

/** The alerts on tool calls. */
export function toolAlerts(options: RuleOptions): Alert[] {
  return [serverDisconnected(), toolErrors(options), toolTimeouts(options), toolCallsSlow(options), abandoned(options)];
}

function serverDisconnected(): Alert {
  const by = `${hubLabels}, ${labels.serverId}`;
  const { forSeconds } = thresholds.serverDisconnected;
  return {
    name: 'HestiaServerDisconnected',
    severity: 'warning',
    expr: `max by (${by}) (${series.serversConnected}) == 0 and max by (${by}) (${series.serversWanted}) == 1`,
    forSeconds,
    summary: 'An MCP server is disconnected',
    description: `Server ${server} has not been connected to the hub {{ $labels.instance }} for ${duration(forSeconds)}; its tools cannot be called.`,
  };
}

function toolErrors(options: RuleOptions): Alert {
  const { above, windowSeconds, forSeconds } = thresholds.toolErrors;
  const types = errorTypesOf('tool', 'server', 'hub').filter((type) => type !== 'timeout');
  const failed = countedBy(
    byServer,
    selector(series.serverCalls, oneOf(labels.errorType, types)),
    windowSeconds,
    options,
  );
  return {
    name: 'HestiaToolErrors',
    severity: 'warning',
    labels: { outcome: 'error' },
    expr: `${serverRecords.errorShare} > ${above} and ${failed} >= ${callsMin.toolErrors}`,
    forSeconds,
    summary: 'Tool calls to a server fail',
    description: `{{ $value | humanizePercentage }} of the calls to server ${server} failed in the last ${duration(windowSeconds)}, not counting mistakes of callers and timeouts (threshold ${above * 100}%).`,
  };
}

function toolTimeouts(options: RuleOptions): Alert {
  const { above, windowSeconds, forSeconds } = thresholds.toolTimeouts;
  const timeouts = selector(series.serverCalls, `${labels.errorType}="timeout"`);
  const worst = `topk(1, ${countedBy(labels.serverId, timeouts, windowSeconds, options)})`.replaceAll('"', '\\"');
  return {
    name: 'HestiaToolTimeouts',
    severity: 'warning',
    labels: { outcome: 'timeout' },
    expr: `${countedBy('job', timeouts, windowSeconds, options)} > ${above}`,
    forSeconds,
    summary: 'Tool calls exceed their deadline',
    description: `{{ $value }} calls timed out in the last ${duration(windowSeconds)} (threshold ${above}){{ with query "${worst}" }}, most of them on server {{ . | first | label "${labels.serverId}" }}{{ end }}.`,
  };
}

function toolCallsSlow(options: RuleOptions): Alert {
  const { above, windowSeconds, forSeconds } = thresholds.toolCallsSlow;
  const enough = `${serverRecords.rate} * ${windowSeconds * options.timeScale} >= ${callsMin.toolCallsSlow}`;
  return {
    name: 'HestiaToolCallsSlow',
    severity: 'warning',
    expr: `${serverRecords.durationP95} > ${above} and ${enough}`,
    forSeconds,
    summary: 'Tool calls to a server are slow',
    description: `One call in twenty to server ${server} took longer than {{ $value | humanizeDuration }} in the last ${duration(windowSeconds)} (threshold ${above}s).`,
  };
}

function abandoned(options: RuleOptions): Alert {
  const { above, windowSeconds, forSeconds } = thresholds.toolCallsAbandoned;
  const cancelled = selector(series.serverCalls, `${labels.errorType}="cancelled"`);
  const now = countedBy(byServer, cancelled, windowSeconds, options);
  const window = ruleWindow(windowSeconds, options);
  const ago = { end: window.text, begin: duration(2 * windowSeconds * options.timeScale) };
  const before = `sum by (${byServer}) (${growth(cancelled, { ...window, ago })})`;
  return {
    name: 'HestiaToolCallsAbandoned',
    severity: 'warning',
    labels: { outcome: 'abandoned' },
    expr: `${now} > ${above} and ${now} > ${abandonedGrowthFactor} * (${before} or 0 * ${now})`,
    forSeconds,
    summary: 'Abandoned calls to a server increase',
    description: `Callers abandoned {{ $value }} calls to server ${server} in the last ${duration(windowSeconds)}, more than ${abandonedGrowthFactor} times as many as in the ${duration(windowSeconds)} before (threshold ${above}).`,
  };
}
