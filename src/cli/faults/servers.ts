/**
 * Faults of what is behind a hub: a server that goes away and does not come back, one whose tool becomes another, and a
 * Chroma that is not there.
 */
import { rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { newTraceId } from '../hub-client.ts';
import { callFaultTool } from './calls.ts';
import { type Fault, type FaultContext, repeat, undoing } from './fault.ts';
import { faultServer, faultServerId, faultToolNames } from './server.ts';

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
  {
    name: 'chroma-unreachable',
    alert: 'HestiaChromaUnreachable',
    place: 'own hub',
    does: 'starts a hub whose Chroma is not there, and ends it when the fault is undone',
    make: async (context) => {
      const owned = await context.startHub({ environment: { HESTIA_CHROMA_URL: nowhere } });
      return undoing(() => owned.stop());
    },
  },
];

/** Nothing listens on the discard port (RFC 863), nor may anything here. */
const nowhere = 'http://127.0.0.1:9';

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
