/** Faults of the hub process and its telemetry: a crash, event loop lag, dropped spans, label overflow. */
import { setTimeout as delay } from 'node:timers/promises';
import { callFaultTool } from './calls.ts';
import { type Fault, type FaultContext, repeat, undoing } from './fault.ts';
import { faultServer, faultServerId, faultToolNames, numberedToolName } from './server.ts';

/** More than the 200 tool names that metrics distinguish. */
const toolsCount = 230;
/**
 * How long the process is suspended and how long it runs in each round. The delay of the event loop is sampled every 10 ms
 * while it runs, so the one late sample of each round is more than one in a hundred and moves the 99th percentile.
 */
const suspension = { suspendedMs: 300, runningMs: 100 };
/** Calls of one round. They produce many times the spans that the shortened queue holds. */
const callsPerRound = 20;

/** The faults of the hub process. */
export const processFaults: readonly Fault[] = [
  {
    name: 'hub-down',
    alert: 'HestiaHubDown',
    place: 'own hub',
    does: 'kills a hub, and starts it again when the fault is undone',
    make: async (context) => {
      const owned = await context.startHub();
      await context.untilSeen(owned);
      owned.kill('SIGKILL');
      return undoing(() => owned.start());
    },
  },
  {
    name: 'event-loop-lag',
    alert: 'HestiaEventLoopLag',
    place: 'own hub',
    does: `suspends a hub's process for ${suspension.suspendedMs} ms repeatedly`,
    make: suspendRepeatedly,
  },
  {
    name: 'telemetry-dropped',
    alert: 'HestiaTelemetryDropped',
    place: 'own hub',
    does: 'produces more spans than a queue of two holds',
    make: async (context) => {
      const environment = { OTEL_BSP_MAX_QUEUE_SIZE: '2', OTEL_BSP_SCHEDULE_DELAY: '1000' };
      const { hub } = await context.startHub({ environment });
      const call = () => callFaultTool(hub, faultToolNames.fine);
      return repeat(() => Promise.all(Array.from({ length: callsPerRound }, call)), context);
    },
  },
  {
    name: 'metric-overflow',
    alert: 'HestiaMetricOverflow',
    place: 'own hub',
    does: `calls ${toolsCount} tools, more than metrics distinguish by name`,
    make: async (context) => {
      const mcpServers = { [faultServerId]: faultServer({ tools: toolsCount }) };
      const { hub } = await context.startHub({ file: { mcpServers } });
      return repeat(async () => {
        for (let number = 1; number <= toolsCount; number += 1) await callFaultTool(hub, numberedToolName(number));
      }, context);
    },
  },
];

async function suspendRepeatedly(context: FaultContext): Promise<AsyncDisposable> {
  const owned = await context.startHub();
  await using parts = new AsyncDisposableStack();
  parts.use(undoing(() => owned.kill('SIGCONT')));
  const round = async () => {
    owned.kill('SIGSTOP');
    await delay(suspension.suspendedMs);
    owned.kill('SIGCONT');
  };
  parts.use(await repeat(round, { ...context, paceMs: suspension.runningMs }));
  return parts.move();
}
