/** The status of the hub: servers, tools, skills, running calls, the audit gap and the scheduler. */
import type { ToolIndex } from '../search-index/tool-index.ts';
import type { Caller } from '../shapes/access.ts';
import type { SchedulerStatus } from '../shapes/scheduler.ts';
import type { AuditViews } from '../stores/views/audit-views.ts';
import type { RecentSpan } from '../telemetry/recent-spans.ts';
import type { Telemetry } from '../telemetry/start.ts';
import type { ConnectionPool } from '../upstream/connection-pool.ts';
import type { AccessGuard } from './access/guard.ts';
import { isInScope, isServerInScope, isSkillInScope } from './access/scope.ts';
import type { AuditTrail } from './audit/trail.ts';
import { firstRecentMinute, type RecentCalls, recentCalls } from './call/recent-calls.ts';
import type { SchedulerService } from './scheduler-service.ts';
import type { SkillTools } from './skill-tools.ts';
import type { ToolCall } from './tool-call.ts';

/** The status at one moment, as far as the caller may see it. */
export interface HubStatusReport {
  version: string;
  uptimeSeconds: number;
  serversConnected: number;
  serversTotal: number;
  /** Servers whose entries in the configuration cannot be used. */
  serversMisconfigured: number;
  /** Tools that the caller can find. */
  toolsCount: number;
  /** Active skills of the caller's namespace that have a tool. */
  skillsActive: number;
  callsRunning: number;
  auditGap: number;
  scheduler: SchedulerStatus;
}

/** Reads the status. */
export interface HubStatus {
  /** Reads the current status. @throws HestiaError FORBIDDEN */
  read(caller: Caller): Promise<HubStatusReport>;
  /**
   * The calls and events of the last hour. An agent sees those of its own namespace.
   * @throws HestiaError FORBIDDEN; VIEWS_UNAVAILABLE
   */
  lastHour(caller: Caller): Promise<LastHour>;
  /**
   * The spans of a trace that the hub still has, in the order of their start; undefined where telemetry is disabled.
   * @throws HestiaError FORBIDDEN
   */
  spansOf(caller: Caller, traceId: string): Promise<RecentSpan[] | undefined>;
}

/** What happened in the last hour. */
export interface LastHour {
  calls: RecentCalls;
  /** Records of each event but tool calls, by the event's name. */
  events: { event: string; count: number }[];
  /** Whether tools were called, also before the last hour. */
  hasCalls: boolean;
}

/** Dependencies of the status. */
export interface HubStatusDeps {
  version: string;
  pool: ConnectionPool;
  toolIndex: ToolIndex;
  skillTools: SkillTools;
  toolCall: ToolCall;
  trail: AuditTrail;
  schedulerService: SchedulerService;
  guard: AccessGuard;
  views: Pick<AuditViews, 'callMinutes' | 'eventCounts' | 'hasCalls'>;
  telemetry: Pick<Telemetry, 'spansOf'>;
  now: () => number;
}

/** Creates the status. */
export function createHubStatus(deps: HubStatusDeps): HubStatus {
  let hasCalls = false;
  return {
    read: async (caller) => {
      await deps.guard.require(caller, 'server.read');
      const { scope } = caller;
      const servers = deps.pool.list().filter(({ serverId }) => isServerInScope(scope, serverId));
      const visible = deps.toolIndex
        .list({})
        .filter(({ inactiveSkill }) => inactiveSkill === undefined)
        .filter(({ namespace }) => namespace === undefined || namespace === caller.namespace)
        .filter((tool) => isInScope(scope, tool));
      const skills = deps.skillTools.list(caller.namespace);
      return {
        version: deps.version,
        uptimeSeconds: Math.round(process.uptime()),
        serversConnected: servers.filter(({ state }) => state === 'connected').length,
        serversTotal: servers.length,
        serversMisconfigured: servers.filter(({ state }) => state === 'misconfigured').length,
        toolsCount: visible.length,
        skillsActive: skills.filter(({ activation }) => isSkillInScope(scope, activation.skillName)).length,
        callsRunning: deps.toolCall.running(),
        auditGap: deps.trail.gap(),
        scheduler: deps.schedulerService.status(),
      };
    },
    lastHour: async (caller) => {
      await deps.guard.require(caller, 'statistics.read');
      const now = deps.now();
      const scope = caller.role === 'agent' ? { namespace: caller.namespace } : {};
      const [counts, events] = await Promise.all([
        deps.views.callMinutes({ sinceMinute: firstRecentMinute(now), ...scope }),
        deps.views.eventCounts({ since: now - hourMs, ...scope }),
      ]);
      hasCalls ||= await deps.views.hasCalls();
      return { calls: recentCalls(counts, now), events, hasCalls };
    },
    spansOf: async (caller, traceId) => {
      await deps.guard.require(caller, 'audit.read');
      return deps.telemetry.spansOf(traceId);
    },
  };
}

const hourMs = 3_600_000;
