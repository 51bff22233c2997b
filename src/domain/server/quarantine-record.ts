/** Records that a server was quarantined because its process died too often. */
import { hubCaller } from '../../shapes/access.ts';
import type { ServerStatus } from '../../shapes/server.ts';
import type { Log } from '../../telemetry/log.ts';
import { attributes } from '../../telemetry/names.ts';
import { inSpan } from '../../telemetry/span.ts';
import type { AuditTrail } from '../audit/trail.ts';

/** Returns a function that records the quarantine of a server in the background. It never throws: an error is logged. */
export function createQuarantineRecord({
  trail,
  log,
}: {
  trail: AuditTrail;
  log: Log;
}): (status: ServerStatus) => void {
  return ({ serverId, errorType }) => {
    const { agentId, namespace } = hubCaller;
    const fields = {
      ...{ server_id: serverId, change: 'quarantined', source: 'hub', error_type: errorType },
      ...{ agent_id: agentId, namespace },
    };
    const event = { kind: 'security', name: 'SERVER_CHANGED', failed: true, fields } as const;
    inSpan('server.change', { attributes: { [attributes.serverId]: serverId } }, (span) =>
      trail.commit({ event, by: hubCaller, span }, async () => undefined),
    ).catch((error: unknown) => {
      log.error('The quarantine of an upstream server was not recorded', { server_id: serverId }, { error });
    });
  };
}
