/** Faults that any client can make on a hub: wrong keys, and requests that a role forbids. They harm nothing. */

import type { HubClient } from '../hub-client.ts';
import { createdKeySchema } from '../key-commands.ts';
import { type Fault, type FaultContext, repeat, undoing } from './fault.ts';

/** Requests of one round. */
const requestsPerRound = 20;
const undoTimeoutMs = 10_000;

/** The faults. */
export const faultsOfAccess: readonly Fault[] = [
  {
    name: 'authentication-failures',
    alert: 'HestiaAuthenticationFailures',
    place: 'hub',
    does: 'asks with keys that do not exist',
    make: (context) => {
      const stranger = context.hub.withKey('hst_this-key-does-not-exist');
      return repeat(() => askOften(stranger, '/v1/skills', 'GET'), context);
    },
  },
  {
    name: 'access-denied',
    alert: 'HestiaAccessDenied',
    place: 'hub',
    does: 'lets an agent ask for a cleanup, which only operators may',
    make: askForbidden,
  },
];

async function askForbidden(context: FaultContext): Promise<AsyncDisposable> {
  const { hub, signal } = context;
  const json = { agentId: 'demo-fault', namespace: 'demo', role: 'agent' };
  await using parts = new AsyncDisposableStack();
  const { key, keyId } = await hub.ask('/v1/keys', createdKeySchema, { json, signal });
  parts.use(undoing(() => revoke(hub, keyId)));
  parts.use(await repeat(() => askOften(hub.withKey(key), '/v1/scheduler/run', 'POST'), context));
  return parts.move();
}

async function revoke(hub: HubClient, keyId: string): Promise<void> {
  await hub.send(`/v1/keys/${keyId}`, { method: 'DELETE', signal: AbortSignal.timeout(undoTimeoutMs) });
}

async function askOften(hub: HubClient, path: string, method: 'GET' | 'POST'): Promise<void> {
  for (let request = 0; request < requestsPerRound; request += 1) await hub.send(path, { method });
}
