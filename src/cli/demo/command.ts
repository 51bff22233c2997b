/** `hestia demo`: options, progress on a terminal or in a pipe, and the final summary. */
import { SingleBar } from 'cli-progress';
import type { Command } from 'commander';
import { type CommandContext, hubOf, withHubOptions } from '../command-context.ts';
import { CommandError, exitCodes } from '../command-error.ts';
import { wholeNumber } from '../command-options.ts';
import { addFaultOptions, type FaultOptions, runFaults } from '../faults/command.ts';
import { type DemoSummary, demoSummary, summaryLines } from './summary.ts';
import { type DemoStepReport, type DemoTrafficOptions, runDemoTraffic } from './traffic.ts';

type DemoOptions = FaultOptions & { duration: number; agents: number; steps: number; seed: number };

const defaults = { durationSeconds: 60, agents: 4, steps: 2000, seed: 1 };
const limits = { durationSeconds: 3600, agents: 20, steps: 100_000, seed: 2_147_483_647 };

/** Adds the command `demo`. */
export function addDemoCommand(program: Command, context: CommandContext): void {
  const command = withHubOptions(program.command('demo'), context)
    .description('send a minute of varied traffic to a running hub, to fill its dashboards')
    .option(
      '--duration <seconds>',
      'how long to send traffic',
      wholeNumber(1, limits.durationSeconds),
      defaults.durationSeconds,
    )
    .option('--agents <count>', 'number of concurrent agents', wholeNumber(1, limits.agents), defaults.agents)
    .option('--steps <count>', 'maximum number of steps', wholeNumber(1, limits.steps), defaults.steps)
    .option('--seed <number>', 'seed of the random choices', wholeNumber(0, limits.seed), defaults.seed)
    .action((options: DemoOptions) =>
      options.faults === undefined ? runDemo(context, options) : runFaults(context, options),
    );
  addFaultOptions(command);
}

async function runDemo(context: CommandContext, options: DemoOptions): Promise<void> {
  const hub = hubOf(options);
  const traffic: DemoTrafficOptions = {
    agents: options.agents,
    durationMs: options.duration * 1000,
    stepsMax: options.steps,
    seed: options.seed,
  };
  const { output, signal, environment } = context;
  const progress = output.isTerminal ? createProgressBar(context, options) : createProgressLines(context);
  let summary: DemoSummary;
  try {
    summary = demoSummary(await runDemoTraffic(hub, traffic, { signal, environment, onStep: progress.onStep }));
  } finally {
    progress.stop();
  }
  output.record({ kind: 'summary', ...summary }, summaryLines(summary, output));
  if (summary.interrupted)
    throw new CommandError(exitCodes.interrupted, 'interrupted; everything the demo created is removed');
}

interface Progress {
  onStep: (report: DemoStepReport) => void;
  stop: () => void;
}

/** A progress bar of the elapsed time, with the last finished step. */
function createProgressBar({ stdout, output }: CommandContext, { duration }: DemoOptions): Progress {
  const bar = new SingleBar({
    format: '{bar} {elapsed}/{total} s  {steps} steps  {last}',
    barCompleteChar: '█',
    barIncompleteChar: '░',
    barsize: 24,
    hideCursor: true,
    clearOnComplete: true,
    stopOnComplete: false,
    stream: process.stdout,
  });
  const startedAt = performance.now();
  const elapsed = () => Math.min(duration, Math.floor((performance.now() - startedAt) / 1000));
  let steps = 0;
  const state = { last: '', steps, elapsed: 0 };
  stdout.write(`Sending traffic for ${duration} s. Ctrl-C stops it and removes what the demo created.\n`);
  bar.start(duration, 0, state);
  const timer = setInterval(() => bar.update(elapsed(), { elapsed: elapsed() }), 250);
  return {
    onStep: ({ step, outcome }) => {
      steps += 1;
      const tone = outcome === 'success' ? 'good' : 'bad';
      bar.update(elapsed(), { steps, elapsed: elapsed(), last: `${step}: ${output.tone(tone, outcome)}` });
    },
    stop: () => {
      clearInterval(timer);
      bar.stop();
    },
  };
}

function createProgressLines({ output }: CommandContext): Progress {
  return {
    onStep: (report) => output.record({ kind: 'step', time: new Date().toISOString(), ...report }, []),
    stop: () => undefined,
  };
}
