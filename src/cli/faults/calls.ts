/** Faults of tool calls: errors, timeouts, slow and abandoned calls, and the two that spend an error budget. */

import type { HubClient } from '../hub-client.ts';
import type { Fault, FaultContext } from './fault.ts';
import { repeat } from './fault.ts';
import { faultServerId, faultToolNames } from './server.ts';

/** Calls of one round, side by side. */
const callsPerRound = 10;
/** Slow calls of one round: a percentile is taken of twenty and more. */
const slowCallsPerRound = 25;
/** Longer than the five seconds that count as slow, and than any round. */
const slowMs = 6000;
const deadlineMs = 50;

/** The faults. */
export const faultsOfCalls: readonly Fault[] = [
  {
    name: 'tool-errors',
    alert: 'HestiaToolErrors',
    place: 'own hub',
    does: 'calls a tool that says that it failed',
    make: (context) => callAgain(context, (hub) => callFaultTool(hub, faultToolNames.fail)),
  },
  {
    name: 'tool-timeouts',
    alert: 'HestiaToolTimeouts',
    place: 'own hub',
    does: `calls a tool that takes longer than the call's deadline of ${deadlineMs} ms`,
    make: (context) => callAgain(context, (hub) => callSlowTool(hub, { timeoutMs: deadlineMs })),
  },
  {
    name: 'tool-calls-slow',
    alert: 'HestiaToolCallsSlow',
    place: 'own hub',
    does: `calls a tool that takes ${slowMs / 1000} s`,
    make: (context) => callAgain(context, (hub) => callSlowTool(hub), slowCallsPerRound),
  },
  {
    name: 'tool-calls-abandoned',
    alert: 'HestiaToolCallsAbandoned',
    place: 'own hub',
    does: 'calls a slow tool and leaves before it answers',
    make: (context) =>
      callAgain(context, (hub) =>
        callSlowTool(hub, { signal: AbortSignal.timeout(deadlineMs) }).catch(() => undefined),
      ),
  },
  {
    name: 'tool-call-availability-burn',
    alert: 'HestiaToolCallAvailabilityBurn',
    place: 'own hub',
    does: 'lets every call pass its deadline, which spends the error budget of availability',
    make: (context) => callAgain(context, (hub) => callSlowTool(hub, { timeoutMs: deadlineMs })),
  },
  {
    name: 'tool-call-latency-burn',
    alert: 'HestiaToolCallLatencyBurn',
    place: 'own hub',
    does: `lets every call take ${slowMs / 1000} s, which spends the error budget of latency`,
    make: (context) => callAgain(context, (hub) => callSlowTool(hub), slowCallsPerRound),
  },
];

/** Calls a tool of the demo's own server. */
export function callFaultTool(
  hub: HubClient,
  toolName: string,
  { args = {}, timeoutMs, signal }: { args?: object; timeoutMs?: number; signal?: AbortSignal } = {},
): Promise<unknown> {
  const json = { arguments: args, ...(timeoutMs !== undefined && { timeoutMs }) };
  return hub.send(`/v1/tools/${faultServerId}/${toolName}/call`, { json, signal });
}

function callSlowTool(hub: HubClient, options: { timeoutMs?: number; signal?: AbortSignal } = {}): Promise<unknown> {
  return callFaultTool(hub, faultToolNames.wait, { args: { ms: slowMs }, ...options });
}

async function callAgain(
  context: FaultContext,
  call: (hub: HubClient) => Promise<unknown>,
  calls = callsPerRound,
): Promise<AsyncDisposable> {
  const { hub } = await context.startHub();
  return repeat(() => Promise.all(Array.from({ length: calls }, () => call(hub))), context);
}
