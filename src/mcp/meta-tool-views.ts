/** Answers of the hub's MCP tools whose fields differ from the HTTP API in more than snake_case. */
import type { HubStatusReport } from '../domain/hub-status.ts';
import type { ActivationAnswer } from '../domain/skill-lifecycle.ts';
import { type SchedulerStatus, schedulerView } from '../shapes/scheduler.ts';
import type { Activation, Skill } from '../shapes/skill.ts';
import { isoTime } from '../shapes/time.ts';

/** One skill of `list_skills`. */
export function listedSkillView({ skill, activation }: { skill: Skill; activation: Activation | undefined }) {
  const { skillId, name, description, namespace, ownerAgentId, latestVersion } = skill;
  return {
    skillId,
    skillName: name,
    description,
    namespace,
    ownerAgentId,
    version: latestVersion,
    active: activation !== undefined,
    activeVersion: activation?.version,
    toolName: activation?.toolName,
    expiresAt: isoTime(activation?.expiresAt),
  };
}

/** `activate_skill`. */
export function activatedSkillView({ activation, changed, errorType }: ActivationAnswer) {
  const { skillId, skillName, toolName, activationId, version, registered, expiresAt } = activation;
  const skill = { skillId, skillName, toolName, activationId, version, registered };
  return { changed, ...skill, expiresAt: isoTime(expiresAt), errorType };
}

/** `get_scheduler_status`; an unknown time is null. */
export function schedulerStatusView(status: SchedulerStatus) {
  const { lastSuccessTime: _time, ...view } = schedulerView(status);
  return { ...view, lastRunTime: view.lastRunTime ?? null, nextRunTime: view.nextRunTime ?? null };
}

/** `get_mcp_hub_status`. */
export function hubStatusView({ toolsCount, scheduler, ...status }: HubStatusReport) {
  const { serversConnected, serversTotal, serversMisconfigured, ...report } = status;
  return {
    ...report,
    servers: { connected: serversConnected, total: serversTotal, misconfigured: serversMisconfigured },
    tools: toolsCount,
    scheduler: schedulerStatusView(scheduler),
  };
}
