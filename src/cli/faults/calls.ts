/** Faults of tool calls: errors, timeouts, slow and abandoned calls, and two that burn an error budget. */

import type { HubClient } from '../hub-client.ts';
import type { Fault, FaultContext } from './fault.ts';
import { repeat } from './fault.ts';
import { faultServerId, faultToolNames } from './server.ts';

/** Concurrent calls of one round. */
const callsPerRound = 10;
/** Slow calls of one round. The alert needs at least twenty calls to evaluate a percentile. */
const slowCallsPerRound = 25;
/** Duration of a slow call: longer than the five seconds that count as slow, and than any pause between rounds. */
const slowMs = 6000;
const deadlineMs = 50;

/** The faults of tool calls. */
export const callFaults: readonly Fault[] = [
  {
    name: 'tool-errors',
    alert: 'HestiaToolErrors',
    place: 'own hub',
    does: 'calls a tool that reports an error',
    make: (context) => repeatCalls(context, (hub) => callFaultTool(hub, faultToolNames.fail)),
  },
  {
    name: 'tool-timeouts',
    alert: 'HestiaToolTimeouts',
    place: 'own hub',
    does: `calls a tool that takes longer than the call's deadline of ${deadlineMs} ms`,
    make: (context) => repeatCalls(context, (hub) => callSlowTool(hub, { timeoutMs: deadlineMs })),
  },
  {
    name: 'tool-calls-slow',
    alert: 'HestiaToolCallsSlow',
    place: 'own hub',
    does: `calls a tool that takes ${slowMs / 1000} s`,
    make: (context) => repeatCalls(context, (hub) => callSlowTool(hub), slowCallsPerRound),
  },
  {
    name: 'tool-calls-abandoned',
    alert: 'HestiaToolCallsAbandoned',
    place: 'own hub',
    does: 'calls a slow tool and cancels before it responds',
    make: (context) =>
      repeatCalls(context, (hub) =>
        callSlowTool(hub, { signal: AbortSignal.timeout(deadlineMs) }).catch(() => undefined),
      ),
  },
  {
    name: 'tool-call-availability-burn',
    alert: 'HestiaToolCallAvailabilityBurn',
    place: 'own hub',
    does: 'lets every call exceed its deadline, which burns the error budget of availability',
    make: (context) => repeatCalls(context, (hub) => callSlowTool(hub, { timeoutMs: deadlineMs })),
  },
  {
    name: 'tool-call-latency-burn',
    alert: 'HestiaToolCallLatencyBurn',
    place: 'own hub',
    does: `lets every call take ${slowMs / 1000} s, which burns the error budget of latency`,
    make: (context) => repeatCalls(context, (hub) => callSlowTool(hub), slowCallsPerRound),
  },
];

/** Calls a tool of the fault server. */
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

async function repeatCalls(
  context: FaultContext,
  call: (hub: HubClient) => Promise<unknown>,
  calls = callsPerRound,
): Promise<AsyncDisposable> {
  const { hub } = await context.startHub();
  return repeat(() => Promise.all(Array.from({ length: calls }, () => call(hub))), context);
}
