/** Faults of the servers behind a hub: one that goes away and does not come back, one whose tool becomes another. */
import { rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Fault, type FaultContext, repeat, undoing } from './fault.ts';
import { faultServer, faultServerId, faultToolNames } from './fault-server.ts';
import { callFaultTool } from './faults-of-calls.ts';
import { newTraceId } from './hub-client.ts';

/** The faults. */
export const faultsOfServers: readonly Fault[] = [
  {
    name: 'server-disconnected',
    alert: 'HestiaServerDisconnected',
    place: 'own hub',
    does: 'ends a server, and lets it end again at each new start',
    make: disconnect,
  },
  {
    name: 'tool-definition-changed',
    alert: 'HestiaToolDefinitionChanged',
    place: 'own hub',
    does: 'lets a server change the description of a tool that was seen before',
    make: async (context) => {
      const { hub } = await context.startHub();
      return repeat(() => callFaultTool(hub, faultToolNames.change), context);
    },
  },
];

/** The longest wait between two attempts, in milliseconds: when the server may come back, it is to be back soon. */
const reconnectDelayMsMax = 1000;

async function disconnect(context: FaultContext): Promise<AsyncDisposable> {
  const absentWhile = join(tmpdir(), `hestia-demo-absent-${newTraceId()}`);
  const file = {
    mcpServers: { [faultServerId]: faultServer({ absentWhile }) },
    limits: { reconnectDelayMs: 100, reconnectDelayMsMax },
  };
  const { hub } = await context.startHub({ file });
  await writeFile(absentWhile, '');
  await callFaultTool(hub, faultToolNames.leave);
  return undoing(() => rm(absentWhile, { force: true }));
}
