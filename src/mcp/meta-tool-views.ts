/** Results of the hub's MCP tools: the domain's values under snake_case names. Pure. */
import type { HubStatusReport } from '../domain/hub-status.ts';
import type { ActivationAnswer, DeactivationAnswer } from '../domain/skill-lifecycle.ts';
import type { JsonObject } from '../shapes/json.ts';
import type { SchedulerStatus } from '../shapes/scheduler.ts';
import type { ScoreParts } from '../shapes/search.ts';
import type { ServerStatus } from '../shapes/server.ts';
import type { Activation, Skill } from '../shapes/skill.ts';
import { isoTime } from '../shapes/time.ts';
import type { IndexedTool, SearchAnswer } from '../shapes/tool.ts';

/** `search_tools`. */
export function searchView({ searchId, results }: SearchAnswer): JsonObject {
  return {
    search_id: searchId,
    results: results.map(({ serverId, toolName, source, description, score, inputSchema, explanation }) =>
      defined({
        server_id: serverId,
        tool_name: toolName,
        source,
        description,
        score,
        input_schema: inputSchema,
        explanation: explanation && { words: explanation.words, parts: partsView(explanation.parts) },
      }),
    ),
  };
}

function partsView(parts: ScoreParts): JsonObject {
  return defined({
    text_score: parts.textScore,
    text_rank: parts.textRank,
    text_log_odds: parts.textLogOdds,
    affinity: parts.affinity,
    own_evidence: parts.ownEvidence,
    others_evidence: parts.othersEvidence,
    others_count: parts.othersCount,
    relevance: parts.relevance,
    availability: parts.availability,
    total: parts.total,
    explored: parts.explored,
  });
}

/** `get_tool_schema`. */
export function toolView({ source, definition }: IndexedTool): JsonObject {
  const { serverId, toolName, title, description, inputSchema, outputSchema, annotations } = definition;
  return defined({
    server_id: serverId,
    tool_name: toolName,
    source,
    title,
    description,
    input_schema: inputSchema,
    output_schema: outputSchema,
    annotations,
  });
}

/** One server of `list_mcp_servers`, `connect_mcp_server` and `disconnect_mcp_server`. */
export function serverView(status: ServerStatus): JsonObject {
  return defined({
    server_id: status.serverId,
    transport: status.transport,
    state: status.state,
    state_since: isoTime(status.stateSince),
    tools_count: status.toolsCount,
    tools_refused_count: status.toolsRefusedCount,
    protocol_version: status.protocolVersion,
    error_type: status.errorType,
  });
}

/** One skill of `list_skills`. */
export function skillView({ skill, activation }: { skill: Skill; activation: Activation | undefined }): JsonObject {
  return defined({
    skill_id: skill.skillId,
    skill_name: skill.name,
    description: skill.description,
    namespace: skill.namespace,
    owner_agent_id: skill.ownerAgentId,
    version: skill.latestVersion,
    active: activation !== undefined,
    active_version: activation?.version,
    tool_name: activation?.toolName,
    expires_at: isoTime(activation?.expiresAt),
  });
}

/** `activate_skill`. */
export function activationView({ activation, changed, errorType }: ActivationAnswer): JsonObject {
  return defined({
    changed,
    skill_id: activation.skillId,
    skill_name: activation.skillName,
    tool_name: activation.toolName,
    activation_id: activation.activationId,
    version: activation.version,
    registered: activation.registered,
    expires_at: isoTime(activation.expiresAt),
    error_type: errorType,
  });
}

/** `deactivate_skill`. */
export function deactivationView(
  skillName: string,
  { changed, durationMs, errorType }: DeactivationAnswer,
): JsonObject {
  return defined({ skill_name: skillName, changed, duration_ms: durationMs, error_type: errorType });
}

/** `get_scheduler_status`; times that are not known are null. */
export function schedulerView(status: SchedulerStatus): JsonObject {
  return {
    is_running: status.isRunning,
    interval_hours: status.intervalHours,
    last_run_time: isoTime(status.lastRunTime) ?? null,
    next_run_time: isoTime(status.nextRunTime) ?? null,
    total_cleanups: status.totalCleanups,
    total_deleted: status.totalDeleted,
  };
}

/** `get_mcp_hub_status`. */
export function hubStatusView(report: HubStatusReport): JsonObject {
  return {
    version: report.version,
    uptime_seconds: report.uptimeSeconds,
    servers: { connected: report.serversConnected, total: report.serversTotal },
    tools: report.toolsCount,
    skills_active: report.skillsActive,
    calls_running: report.callsRunning,
    audit_gap: report.auditGap,
    scheduler: schedulerView(report.scheduler),
  };
}

function defined(fields: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
