/**
 * The demo's traffic: agents that work side by side for a time, bounded by a count, each step told as it ends. What it
 * makes it removes again, also where it is interrupted.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import type { HubClient } from '../hub-client.ts';
import { createDemoAgent, type DemoAgent, type DemoAnswer } from './agent.ts';
import { createDemoRandom, type DemoRandom } from './random.ts';
import { demoSkillText } from './skill.ts';
import { commonSteps, type DemoStep, type DemoWorld, demoSkillNames, rareSteps } from './steps.ts';
import { findDemoTools } from './tools.ts';

/** How much traffic. Both bounds hold: it ends at whichever comes first. */
export interface DemoTrafficOptions {
  agents: number;
  durationMs: number;
  stepsMax: number;
  seed: number;
}

/** One step that ended. */
export interface DemoStepReport extends Omit<DemoAnswer, 'body'> {
  agent: string;
  step: string;
  durationMs: number;
}

/** What a whole run came to, for its summary. */
export interface DemoTrafficResult {
  steps: DemoStepReport[];
  /** Events on record that its agents caused, by name. */
  events: Record<string, number>;
  /** Agents, servers and tools that took part. */
  agents: number;
  tools: number;
  interrupted: boolean;
}

/** The namespace of the demo: its skills meet nobody's. */
export const demoNamespace = 'demo';

/** Pauses between two steps of one agent, in milliseconds. */
const pauseMs = { min: 20, max: 250 };
/** Each rare step is done this often in a run of the default length, and once at least. */
const rareRounds = 3;
const cleanupTimeoutMs = 20_000;

const skillSchema = z.object({ name: z.string() });
const recordSchema = z.object({ event: z.string(), key_id: z.string() });

/** Runs it. `onStep` hears each step. @throws CommandError where no hub answers or it refuses the key */
export async function runDemoTraffic(
  operator: HubClient,
  options: DemoTrafficOptions,
  { signal, onStep }: { signal: AbortSignal; onStep: (report: DemoStepReport) => void },
): Promise<DemoTrafficResult> {
  const tools = await findDemoTools(operator, signal);
  const world: DemoWorld = { tools, operator, namespace: demoNamespace };
  const agents: DemoAgent[] = [];
  const steps: DemoStepReport[] = [];
  try {
    await deleteDemoSkills(operator);
    for (let index = 1; index <= options.agents && !signal.aborted; index += 1) {
      const random = createDemoRandom(options.seed + index);
      const name = `demo-agent-${index}`;
      agents.push(await createDemoAgent(operator, { name, namespace: demoNamespace, random, signal }));
    }
    await publishLastingSkill(agents);
    const report = (one: DemoStepReport) => {
      steps.push(one);
      onStep(one);
    };
    await runAgents(agents, world, { ...options, report, signal, isFull: () => steps.length >= options.stepsMax });
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    await removeTraces(operator, agents);
  }
  const events = await eventsOf(operator, agents);
  return { steps, events, agents: agents.length, tools: tools.plain.length, interrupted: signal.aborted };
}

interface Running {
  durationMs: number;
  seed: number;
  report: (report: DemoStepReport) => void;
  signal: AbortSignal;
  isFull: () => boolean;
}

async function runAgents(agents: readonly DemoAgent[], world: DemoWorld, running: Running): Promise<void> {
  const endsAt = performance.now() + running.durationMs;
  const isOver = () => performance.now() >= endsAt || running.signal.aborted || running.isFull();
  const rare = rareTimes(createDemoRandom(running.seed), running.durationMs);
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
      if (step !== undefined) await runStep(agent, world, step, running);
      await delay(agent.random.between(pauseMs.min, pauseMs.max), undefined, { signal: running.signal });
    }
  };
  await Promise.all(agents.map(work));
}

async function runStep(agent: DemoAgent, world: DemoWorld, step: DemoStep, { report }: Running): Promise<void> {
  const startedAt = performance.now();
  const answer = await step.run(agent, world);
  if (answer === undefined) return;
  const { outcome, code, traceId } = answer;
  const durationMs = Math.round(performance.now() - startedAt);
  report({ agent: agent.name, step: step.name, outcome, code, traceId, durationMs });
}

/** When each rare step is due, spread evenly over the first nine tenths, so that all of them end in time. */
function rareTimes(random: DemoRandom, durationMs: number): { atMs: number; step: DemoStep }[] {
  const rounds = Math.max(1, Math.min(rareRounds, Math.round((durationMs / 60_000) * rareRounds)));
  const all = Array.from({ length: rounds }, () => rareSteps).flat();
  const slotMs = (durationMs * 0.9) / all.length;
  return all.map((step, index) => ({ atMs: (index + random.between(0, 1)) * slotMs, step }));
}

async function publishLastingSkill([first]: readonly DemoAgent[]): Promise<void> {
  const name = demoSkillNames.lasting;
  const content = demoSkillText(name, 'Sum up what the arguments say in one sentence.');
  await first?.http(`/v1/skills/${name}`, { method: 'PUT', text: { type: 'text/markdown', content } });
  await first?.http(`/v1/skills/${name}/activate`, { json: {} });
}

/** Skills away, sessions closed, keys revoked; each by itself, and not stopped by what stopped the run. */
async function removeTraces(operator: HubClient, agents: readonly DemoAgent[]): Promise<void> {
  await Promise.allSettled([
    deleteDemoSkills(operator),
    ...agents.map((agent) => agent[Symbol.asyncDispose]()),
    ...agents.map(({ keyId }) =>
      operator.send(`/v1/keys/${keyId}`, { method: 'DELETE', signal: AbortSignal.timeout(cleanupTimeoutMs) }),
    ),
  ]);
}

/** Also those of an earlier demo that was killed. */
async function deleteDemoSkills(operator: HubClient): Promise<void> {
  const signal = AbortSignal.timeout(cleanupTimeoutMs);
  const query = `?namespace=${demoNamespace}`;
  for (const { name } of await operator.list(`/v1/skills${query}`, skillSchema, signal)) {
    if (!Object.values(demoSkillNames).some((prefix) => name.startsWith(prefix))) continue;
    await operator.send(`/v1/skills/${name}${query}`, { method: 'DELETE', signal });
  }
}

async function eventsOf(operator: HubClient, agents: readonly DemoAgent[]): Promise<Record<string, number>> {
  const events: Record<string, number> = {};
  const signal = AbortSignal.timeout(cleanupTimeoutMs);
  for (const { name, keyId } of agents) {
    const records = await operator.list(`/v1/audit/events?agentId=${name}`, recordSchema, signal);
    for (const { event } of records.filter(({ key_id: key }) => key === keyId))
      events[event] = (events[event] ?? 0) + 1;
  }
  return Object.fromEntries(Object.entries(events).sort(([left], [right]) => (left < right ? -1 : 1)));
}
