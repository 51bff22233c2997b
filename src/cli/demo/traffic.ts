/**
 * The traffic of the demo: concurrent agents, limited by a duration and by a number of steps.
 * Whatever it creates it removes again, even if it is interrupted.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { auditRecordSchema } from '../../shapes/audit.ts';
import { skillViewSchema } from '../../shapes/skill-view.ts';
import type { CommandContext } from '../command-context.ts';
import type { HubClient } from '../hub-client.ts';
import { createDemoAgent, type DemoAgent, type DemoAnswer } from './agent.ts';
import { createDemoRandom, type DemoRandom } from './random.ts';
import { demoSkillText } from './skill.ts';
import { createDemoSpans } from './spans.ts';
import { commonSteps, type DemoStep, type DemoWorld, demoSkillNames, rareSteps } from './steps.ts';
import { findDemoTools } from './tools.ts';

/** Amount of traffic. The run ends at whichever limit is reached first. */
export interface DemoTrafficOptions {
  agents: number;
  durationMs: number;
  stepsMax: number;
  seed: number;
}

/** One finished step. */
export interface DemoStepReport extends Omit<DemoAnswer, 'body'> {
  agent: string;
  step: string;
  durationMs: number;
}

/** The result of a run, for its summary. */
export interface DemoTrafficResult {
  steps: DemoStepReport[];
  /** Number of audit records that its agents caused, by event. */
  events: Record<string, number>;
  /** Number of agents that took part, and of tools that they could call. */
  agents: number;
  tools: number;
  interrupted: boolean;
}

/** A namespace of its own, so that demo skills do not collide with others. */
export const demoNamespace = 'demo';

/** Pauses between two steps of one agent, in milliseconds. */
const pauseMs = { min: 20, max: 250 };
/** How often each rare step runs in a demo of the default duration. It always runs at least once. */
const rareRounds = 3;
const cleanupTimeoutMs = 20_000;

/** What a run needs of the command: its end by a signal, the environment, and what is called after each step. */
export interface DemoRun {
  signal: AbortSignal;
  environment: CommandContext['environment'];
  onStep: (report: DemoStepReport) => void;
}

/** Runs the traffic. @throws CommandError if no hub responds or it refuses the key */
export async function runDemoTraffic(
  operator: HubClient,
  options: DemoTrafficOptions,
  { signal, environment, onStep }: DemoRun,
): Promise<DemoTrafficResult> {
  await using spans = createDemoSpans(environment);
  const tools = await findDemoTools(operator, signal);
  const world: DemoWorld = { tools, operator, namespace: demoNamespace };
  const agents: DemoAgent[] = [];
  const steps: DemoStepReport[] = [];
  try {
    await deleteDemoSkills(operator);
    for (let index = 1; index <= options.agents && !signal.aborted; index += 1) {
      const random = createDemoRandom(options.seed + index);
      const name = `demo-agent-${index}`;
      agents.push(await createDemoAgent(operator, { name, namespace: demoNamespace, random, spans, signal }));
    }
    await publishPermanentSkill(agents);
    const report = (one: DemoStepReport) => {
      steps.push(one);
      onStep(one);
    };
    await runAgents(agents, world, { ...options, report, signal, isFull: () => steps.length >= options.stepsMax });
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    await removeCreated(operator, agents);
  }
  const events = await eventsOf(operator, agents);
  return { steps, events, agents: agents.length, tools: tools.plain.length, interrupted: signal.aborted };
}

interface AgentRun {
  durationMs: number;
  seed: number;
  report: (report: DemoStepReport) => void;
  signal: AbortSignal;
  isFull: () => boolean;
}

async function runAgents(agents: readonly DemoAgent[], world: DemoWorld, run: AgentRun): Promise<void> {
  const endsAt = performance.now() + run.durationMs;
  const isOver = () => performance.now() >= endsAt || run.signal.aborted || run.isFull();
  const rare = scheduleRareSteps(createDemoRandom(run.seed), run.durationMs);
  const startedAt = performance.now();
  const next = (random: DemoRandom): DemoStep | undefined => {
    const due = rare[0];
    if (due === undefined || due.atMs > performance.now() - startedAt) return random.pick(commonSteps);
    rare.shift();
    return due.step;
  };
  const work = async (agent: DemoAgent) => {
    while (!isOver()) {
      const step = next(agent.random);
      if (step !== undefined) await runStep(agent, world, step, run);
      await delay(agent.random.between(pauseMs.min, pauseMs.max), undefined, { signal: run.signal });
    }
  };
  await Promise.all(agents.map(work));
}

async function runStep(agent: DemoAgent, world: DemoWorld, step: DemoStep, { report }: AgentRun): Promise<void> {
  const startedAt = performance.now();
  const answer = await step.run(agent, world);
  if (answer === undefined) return;
  const { outcome, code, traceId } = answer;
  const durationMs = Math.round(performance.now() - startedAt);
  report({ agent: agent.name, step: step.name, outcome, code, traceId, durationMs });
}

/** Schedules the rare steps evenly over the first nine tenths of the run, so that all of them finish in time. */
function scheduleRareSteps(random: DemoRandom, durationMs: number): { atMs: number; step: DemoStep }[] {
  const rounds = Math.max(1, Math.min(rareRounds, Math.round((durationMs / 60_000) * rareRounds)));
  const all = Array.from({ length: rounds }, () => rareSteps).flat();
  const slotMs = (durationMs * 0.9) / all.length;
  return all.map((step, index) => ({ atMs: (index + random.between(0, 1)) * slotMs, step }));
}

async function publishPermanentSkill([first]: readonly DemoAgent[]): Promise<void> {
  const name = demoSkillNames.permanent;
  const content = demoSkillText(name, 'Sum up what the arguments say in one sentence.');
  await first?.http(`/v1/skills/${name}`, { method: 'PUT', text: { type: 'text/markdown', content } });
  await first?.http(`/v1/skills/${name}/activate`, { json: {} });
}

/** Deletes skills, closes sessions and revokes keys, each independently. Runs even after the demo was interrupted. */
async function removeCreated(operator: HubClient, agents: readonly DemoAgent[]): Promise<void> {
  await Promise.allSettled([
    deleteDemoSkills(operator),
    ...agents.map((agent) => agent[Symbol.asyncDispose]()),
    ...agents.map(({ keyId }) =>
      operator.send(`/v1/keys/${keyId}`, { method: 'DELETE', signal: AbortSignal.timeout(cleanupTimeoutMs) }),
    ),
  ]);
}

/** Deletes all demo skills, including those of an earlier demo that was killed. */
async function deleteDemoSkills(operator: HubClient): Promise<void> {
  const signal = AbortSignal.timeout(cleanupTimeoutMs);
  const query = `?namespace=${demoNamespace}`;
  for (const { name } of await operator.list(`/v1/skills${query}`, skillViewSchema, signal)) {
    if (!Object.values(demoSkillNames).some((prefix) => name.startsWith(prefix))) continue;
    await operator.send(`/v1/skills/${name}${query}`, { method: 'DELETE', signal });
  }
}

async function eventsOf(operator: HubClient, agents: readonly DemoAgent[]): Promise<Record<string, number>> {
  const events: Record<string, number> = {};
  const signal = AbortSignal.timeout(cleanupTimeoutMs);
  for (const { name, keyId } of agents) {
    const records = await operator.list(`/v1/audit/events?agentId=${name}`, auditRecordSchema, signal);
    for (const { event } of records.filter(({ key_id: key }) => key === keyId))
      events[event] = (events[event] ?? 0) + 1;
  }
  return Object.fromEntries(Object.entries(events).sort(([left], [right]) => (left < right ? -1 : 1)));
}
