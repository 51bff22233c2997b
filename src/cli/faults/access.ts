/** Faults of access control: requests with wrong keys, and requests that a role forbids. They harm nothing. */

import { createdKeyViewSchema } from '../../shapes/access.ts';
import type { HubClient } from '../hub-client.ts';
import { type Fault, type FaultContext, repeat, undoing } from './fault.ts';

/** Requests of one round. */
const requestsPerRound = 20;
const undoTimeoutMs = 10_000;

/** The faults of access control. */
export const accessFaults: readonly Fault[] = [
  {
    name: 'authentication-failures',
    alert: 'HestiaAuthenticationFailures',
    place: 'hub',
    does: 'sends requests with keys that do not exist',
    make: (context) => {
      const unknownKeyHub = context.hub.withKey('hst_this-key-does-not-exist');
      return repeat(() => sendRound(unknownKeyHub, '/v1/skills', 'GET'), context);
    },
  },
  {
    name: 'access-denied',
    alert: 'HestiaAccessDenied',
    place: 'hub',
    does: 'requests cleanups as an agent, which only operators may',
    make: requestForbidden,
  },
];

async function requestForbidden(context: FaultContext): Promise<AsyncDisposable> {
  const { hub, signal } = context;
  const json = { agentId: 'demo-fault', namespace: 'demo', role: 'agent' };
  await using parts = new AsyncDisposableStack();
  const { key, keyId } = await hub.request('/v1/keys', createdKeyViewSchema, { json, signal });
  parts.use(undoing(() => revoke(hub, keyId)));
  parts.use(await repeat(() => sendRound(hub.withKey(key), '/v1/scheduler/run', 'POST'), context));
  return parts.move();
}

async function revoke(hub: HubClient, keyId: string): Promise<void> {
  await hub.send(`/v1/keys/${keyId}`, { method: 'DELETE', signal: AbortSignal.timeout(undoTimeoutMs) });
}

async function sendRound(hub: HubClient, path: string, method: 'GET' | 'POST'): Promise<void> {
  for (let request = 0; request < requestsPerRound; request += 1) await hub.send(path, { method });
}
