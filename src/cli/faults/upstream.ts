/** Faults of what a hub connects to: a disconnected server, a changed tool, an unreachable Chroma. */
import { randomUUID } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { callFaultTool } from './calls.ts';
import { type Fault, type FaultContext, repeat, undoing } from './fault.ts';
import { faultServer, faultServerId, faultToolNames } from './server.ts';

/** The faults of upstream servers and of Chroma. */
export const upstreamFaults: readonly Fault[] = [
  {
    name: 'server-disconnected',
    alert: 'HestiaServerDisconnected',
    place: 'own hub',
    does: 'stops a server, and lets it exit at each restart',
    make: disconnect,
  },
  {
    name: 'tool-definition-changed',
    alert: 'HestiaToolDefinitionChanged',
    place: 'own hub',
    does: 'lets a server change the description of a known tool',
    make: async (context) => {
      const { hub } = await context.startHub();
      return repeat(() => callFaultTool(hub, faultToolNames.change), context);
    },
  },
  {
    name: 'chroma-unreachable',
    alert: 'HestiaChromaUnreachable',
    place: 'own hub',
    does: 'starts a hub with an unreachable Chroma, and stops it when the fault is undone',
    make: async (context) => {
      const owned = await context.startHub({ environment: { HESTIA_CHROMA_URL: unreachableUrl } });
      return undoing(() => owned.stop());
    },
  },
];

/** The discard port (RFC 863), on which nothing listens. */
const unreachableUrl = 'http://127.0.0.1:9';

/** Maximum delay between two connection attempts, in milliseconds. Short, so that the server reconnects soon once the fault is undone. */
const reconnectDelayMsMax = 1000;

async function disconnect(context: FaultContext): Promise<AsyncDisposable> {
  const absentWhile = join(tmpdir(), `hestia-demo-absent-${randomUUID()}`);
  const file = {
    mcpServers: { [faultServerId]: faultServer({ absentWhile }) },
    limits: { reconnectDelayMs: 100, reconnectDelayMsMax },
  };
  const { hub } = await context.startHub({ file });
  await writeFile(absentWhile, '');
  await callFaultTool(hub, faultToolNames.leave);
  return undoing(() => rm(absentWhile, { force: true }));
}
