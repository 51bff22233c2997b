/** How the hub is, in one look: servers, tools, skills, calls under way, the scheduler. */

import type { ToolIndex } from '../search-index/tool-index.ts';
import type { Caller } from '../shapes/access.ts';
import type { SchedulerStatus } from '../shapes/scheduler.ts';
import type { ConnectionPool } from '../upstream/connection-pool.ts';
import type { AccessGuard } from './access/guard.ts';
import type { AuditTrail } from './audit/trail.ts';
import type { SchedulerService } from './scheduler-service.ts';
import type { SkillTools } from './skill-tools.ts';
import type { ToolCall } from './tool-call.ts';

/** What a look at the hub shows. */
export interface HubStatusReport {
  version: string;
  uptimeSeconds: number;
  serversConnected: number;
  serversTotal: number;
  /** Tools the caller could find. */
  toolsCount: number;
  /** Active skills of the caller's namespace that have a tool. */
  skillsActive: number;
  callsRunning: number;
  auditGap: number;
  scheduler: SchedulerStatus;
}

/** The status. */
export interface HubStatus {
  read(caller: Caller): Promise<HubStatusReport>;
}

/** What the status is made of. */
export interface HubStatusDeps {
  version: string;
  pool: ConnectionPool;
  toolIndex: ToolIndex;
  skillTools: SkillTools;
  toolCall: ToolCall;
  trail: AuditTrail;
  schedulerService: SchedulerService;
  guard: AccessGuard;
}

/** Makes the status. */
export function createHubStatus(deps: HubStatusDeps): HubStatus {
  return {
    read: async (caller) => {
      await deps.guard.require(caller, 'server.read');
      const servers = deps.pool.list();
      const visible = deps.toolIndex
        .list({})
        .filter(({ namespace }) => namespace === undefined || namespace === caller.namespace);
      return {
        version: deps.version,
        uptimeSeconds: Math.round(process.uptime()),
        serversConnected: servers.filter(({ state }) => state === 'connected').length,
        serversTotal: servers.length,
        toolsCount: visible.length,
        skillsActive: deps.skillTools.list(caller.namespace).length,
        callsRunning: deps.toolCall.running(),
        auditGap: deps.trail.gap(),
        scheduler: deps.schedulerService.status(),
      };
    },
  };
}
