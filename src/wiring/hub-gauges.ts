/** Connects the metric gauges of the hub to the parts whose state they report. */

import type { LogCheckpointer } from '../domain/audit/log-checkpointer.ts';
import type { AuditTrail } from '../domain/audit/trail.ts';
import type { SchedulerService } from '../domain/scheduler-service.ts';
import type { ToolCall } from '../domain/tool-call.ts';
import type { AuditViews } from '../stores/views/audit-views.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { Telemetry } from '../telemetry/start.ts';
import type { ConnectionPool } from '../upstream/connection-pool.ts';

/** Dependencies of the gauges. */
export interface HubGaugesDeps {
  metrics: Metrics;
  telemetry: Telemetry;
  trail: AuditTrail;
  checkpointer: LogCheckpointer;
  views: Pick<AuditViews, 'lagSeconds'>;
  pool: ConnectionPool;
  schedulerService: SchedulerService;
  toolCall: ToolCall;
  isEnding: () => boolean;
}

/** Registers the gauges. Call it once. */
export function observeHub({ metrics, telemetry, trail, checkpointer, views, pool, ...parts }: HubGaugesDeps): void {
  const { schedulerService, toolCall, isEnding } = parts;
  metrics.observe({
    auditGap: trail.gap,
    auditUncovered: checkpointer.uncovered,
    projectorLag: views.lagSeconds,
    servers: () =>
      pool.list().map(({ serverId, state }) => ({
        serverId,
        connected: state === 'connected',
        wanted: state !== 'disconnected',
      })),
    lastSuccess: schedulerService.lastSuccess,
    scheduler: schedulerService.status,
    callsRunning: toolCall.running,
    isEnding,
    telemetry: telemetry.delivery,
  });
}
