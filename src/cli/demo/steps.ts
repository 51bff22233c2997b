/**
 * Steps of demo agents: searches, calls with each outcome, refused requests, skill activations.
 * Each step is one function.
 */
import { z } from 'zod';
import type { JsonObject } from '../../shapes/json.ts';
import type { HubClient } from '../hub-client.ts';
import type { DemoAgent, DemoAnswer, DemoCallOptions } from './agent.ts';
import { demoSkillText } from './skill.ts';
import type { DemoTool, DemoTools } from './tools.ts';

/** What a step can use. */
export interface DemoWorld {
  tools: DemoTools;
  operator: HubClient;
  /** The namespace of the agents and of their skills. */
  namespace: string;
}

/** A step. `run` returns undefined if this hub has no tool for it. */
export interface DemoStep {
  name: string;
  run: (agent: DemoAgent, world: DemoWorld) => Promise<DemoAnswer | undefined>;
}

const httpSearchSchema = z.object({ searchId: z.string() });
const mcpSearchSchema = z.object({ search_id: z.string() });

/** Steps that are picked at random, each as often as it is listed. */
export const commonSteps: readonly DemoStep[] = [
  { name: 'search and call over HTTP', run: (agent, world) => searchAndCallByHttp(agent, world) },
  { name: 'search and call over HTTP', run: (agent, world) => searchAndCallByHttp(agent, world) },
  { name: 'search and call over MCP', run: (agent, world) => searchAndCallByMcp(agent, world) },
  { name: 'search and call over MCP', run: (agent, world) => searchAndCallByMcp(agent, world) },
  { name: 'call over MCP', run: callByMcp },
  { name: 'search that leads nowhere', run: (agent) => search(agent, 'translate a sonnet into Greek') },
  { name: 'skill used', run: (agent) => agent.mcp(skillToolName, { arguments: 'as briefly as you can' }) },
  { name: 'hub status', run: (agent) => agent.mcp('get_mcp_hub_status', {}) },
  { name: 'statistics', run: (agent) => agent.http('/v1/tools/stats') },
];

/** Steps that run a few times, however long the demo lasts, so that a demo alone does not make an alert fire. */
export const rareSteps: readonly DemoStep[] = [
  { name: 'slow call with progress', run: (agent, world) => slowCall(agent, world, { onProgress: () => undefined }) },
  { name: 'call that passes its deadline', run: (agent, world) => slowCall(agent, world, { timeoutMs: 300 }) },
  { name: 'call that its caller cancels', run: (agent, world) => slowCall(agent, world, { abortAfterMs: 250 }) },
  { name: 'call without a required argument', run: callWithoutArguments },
  { name: 'call that the tool fails', run: callThatFails },
  { name: 'call of a tool that does not exist', run: (agent) => call(agent, 'hestia', 'no-such-tool', {}) },
  { name: 'request with a wrong key', run: wrongKey },
  { name: 'request that the role forbids', run: (agent) => agent.http('/v1/scheduler/run', { method: 'POST' }) },
  { name: 'skill for two seconds', run: activateBriefly },
  { name: 'skill published, used and deleted', run: useSkillOnce },
  {
    name: 'audit trail verified',
    run: (agent, { operator }) => agent.http('/v1/audit/verify', {}, { client: operator }),
  },
  {
    name: 'cleanup',
    // Only an operator may start it. Of two at once, the hub refuses the second.
    run: (agent, { operator }) => agent.http('/v1/scheduler/run', { method: 'POST' }, { client: operator }),
  },
];

/** Name of the skill that exists during the whole demo, and name prefix of the temporary ones. */
export const demoSkillNames = { permanent: 'demo-summary', temporary: 'demo-greeting' } as const;

const skillToolName = 'skill_demo_summary';

async function searchAndCallByHttp(agent: DemoAgent, { tools }: DemoWorld): Promise<DemoAnswer | undefined> {
  const tool = agent.random.pick(tools.plain);
  if (tool === undefined) return search(agent, 'any tool at all');
  const found = await search(agent, tool.need);
  const searchId = httpSearchSchema.safeParse(found.body).data?.searchId;
  return call(agent, tool.serverId, tool.toolName, tool.goodArguments(agent.random), { searchId });
}

async function searchAndCallByMcp(agent: DemoAgent, { tools }: DemoWorld): Promise<DemoAnswer | undefined> {
  const tool = agent.random.pick(tools.plain);
  if (tool === undefined) return agent.mcp('search_tools', { query: 'any tool at all' });
  const found = await agent.mcp('search_tools', { query: tool.need });
  const searchId = mcpSearchSchema.safeParse(found.body).data?.search_id;
  return callMcpTool(agent, tool, tool.goodArguments(agent.random), { searchId });
}

async function callByMcp(agent: DemoAgent, { tools }: DemoWorld): Promise<DemoAnswer | undefined> {
  const tool = agent.random.pick(tools.plain);
  return tool && callMcpTool(agent, tool, tool.goodArguments(agent.random), {});
}

async function slowCall(
  agent: DemoAgent,
  { tools }: DemoWorld,
  options: DemoCallOptions,
): Promise<DemoAnswer | undefined> {
  if (tools.slow === undefined) return undefined;
  const seconds = options.abortAfterMs === undefined && options.timeoutMs === undefined ? 2 : 5;
  return callMcpTool(agent, tools.slow, { duration: seconds, steps: 4 }, options);
}

async function callWithoutArguments(agent: DemoAgent, { tools }: DemoWorld): Promise<DemoAnswer | undefined> {
  const tool = agent.random.pick(tools.plain.filter(({ required }) => required.length > 0));
  return tool && call(agent, tool.serverId, tool.toolName, {});
}

async function callThatFails(agent: DemoAgent, { tools }: DemoWorld): Promise<DemoAnswer | undefined> {
  const { reader } = tools;
  return reader && call(agent, reader.serverId, reader.toolName, { path: '/no/such/file' });
}

function search(agent: DemoAgent, query: string): Promise<DemoAnswer> {
  return agent.http('/v1/tools/search', { json: { query, limit: 5 } });
}

function call(
  agent: DemoAgent,
  serverId: string,
  toolName: string,
  args: JsonObject,
  options: DemoCallOptions = {},
): Promise<DemoAnswer> {
  const { timeoutMs, searchId } = options;
  const json = { arguments: args, timeoutMs, searchId };
  return agent.http(
    `/v1/tools/${encodeURIComponent(serverId)}/${encodeURIComponent(toolName)}/call`,
    { json },
    options,
  );
}

function callMcpTool(
  agent: DemoAgent,
  { serverId, toolName }: DemoTool,
  args: JsonObject,
  options: DemoCallOptions,
): Promise<DemoAnswer> {
  const { timeoutMs, searchId } = options;
  const request = { server_id: serverId, tool_name: toolName, arguments: args };
  const named = { ...request, ...(timeoutMs && { timeout_ms: timeoutMs }), ...(searchId && { search_id: searchId }) };
  return agent.mcp('call_mcp_tool', named, options);
}

function wrongKey(agent: DemoAgent): Promise<DemoAnswer> {
  return agent.http('/v1/skills', {}, { client: agent.hub.withKey('hst_this-key-does-not-exist') });
}

/** Activates a skill that expires after two seconds. The hub checks for expired skills every five seconds. */
async function activateBriefly(agent: DemoAgent): Promise<DemoAnswer> {
  await publish(agent, ownSkillName(agent));
  return agent.http(`/v1/skills/${ownSkillName(agent)}/activate`, { json: { ttlSeconds: 2 } });
}

async function useSkillOnce(agent: DemoAgent): Promise<DemoAnswer> {
  const name = ownSkillName(agent);
  await publish(agent, name);
  await agent.mcp('activate_skill', { skill_name: name });
  const used = await agent.mcp(`skill_${name.replaceAll('-', '_')}`, { arguments: 'Ada' });
  await agent.mcp('deactivate_skill', { skill_name: name });
  await agent.http(`/v1/skills/${name}`, { method: 'DELETE' });
  return used;
}

/** One skill name per agent, because agents own their skills. Few names, because tool names are metric labels. */
function ownSkillName({ name }: DemoAgent): string {
  return `${demoSkillNames.temporary}-${name.split('-').at(-1)}`;
}

function publish(agent: DemoAgent, name: string): Promise<DemoAnswer> {
  const content = demoSkillText(name, 'Greet the person named in the arguments, warmly and briefly.');
  return agent.http(`/v1/skills/${name}`, { method: 'PUT', text: { type: 'text/markdown', content } });
}
