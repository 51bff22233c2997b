/** Subscriptions to resources of upstream servers. Each is recorded. */
import { SpanKind } from '@opentelemetry/api';
import type { Caller } from '../../shapes/access.ts';
import { notFound } from '../../shapes/error.ts';
import { attributes } from '../../telemetry/names.ts';
import { failSpan, inSpan } from '../../telemetry/span.ts';
import type { UpstreamConnection } from '../../upstream/connection/contract.ts';
import type { AuditTrail } from '../audit/trail.ts';
import { classifyFailure } from '../call/failure.ts';
import { offerError } from './failure.ts';
import { targetFields } from './request.ts';
import type { ServerSession } from './server-session.ts';
import { isUsable, type VisibleOffersDeps } from './visible-offers.ts';

/** Dependencies of a subscription. `limits` are milliseconds. */
export interface SubscriptionDeps extends VisibleOffersDeps {
  trail: AuditTrail;
  limits: { callTimeoutMs: number };
}

/** The resource, and the session of the client, if it has one. */
export interface SubscribedResource {
  serverId: string;
  uri: string;
  connection: UpstreamConnection;
  via: ServerSession | undefined;
}

/** Subscribes until the returned function is called. @throws HestiaError NOT_FOUND, SERVER_UNAVAILABLE, UPSTREAM_FAILED */
export async function subscribe(
  deps: SubscriptionDeps,
  caller: Caller,
  resource: SubscribedResource,
): Promise<() => void> {
  const { serverId, uri } = resource;
  const target = { kind: 'resources', key: uri } as const;
  const signal = AbortSignal.timeout(deps.limits.callTimeoutMs);
  if (!(await isUsable(deps, caller, { serverId, target, signal }))) throw notFound('resource');
  const options = { kind: SpanKind.CLIENT, attributes: { [attributes.serverId]: serverId } };
  return inSpan('resources/subscribe', options, async (span) => {
    const { agentId: agent_id, namespace } = caller;
    const fields = { server_id: serverId, ...targetFields(target), agent_id, namespace };
    const record = (error_type?: string) => {
      const more = { failed: error_type !== undefined, fields: { ...fields, error_type } };
      const event = { kind: 'security', name: 'RESOURCE_SUBSCRIBED', ...more } as const;
      return deps.trail.record({ event, by: caller, span });
    };
    try {
      const release = await subscribeOver(resource, signal);
      await record();
      return release;
    } catch (error) {
      const failure = classifyFailure(error, undefined, false);
      failSpan(span, failure.errorType);
      await record(failure.errorType);
      throw offerError(failure);
    }
  });
}

async function subscribeOver({ uri, connection, via }: SubscribedResource, signal: AbortSignal): Promise<() => void> {
  if (via === undefined) return connection.subscribe(uri);
  await via.request({ method: 'resources/subscribe', params: { uri }, signal });
  return () => {
    const unsubscribed = { method: 'resources/unsubscribe', params: { uri }, signal: AbortSignal.timeout(endMsMax) };
    // If it fails, the server goes on to send updates, which the session passes on.
    void via.request(unsubscribed).catch(() => {});
  };
}

/** How long a server may take to end a subscription, in milliseconds. */
const endMsMax = 10_000;
