/** `hestia demo --faults`: lists faults, or makes them, tells which alert should fire and why, and undoes them. */
import { type Command, Option } from 'commander';
import { printable } from '../shapes/text.ts';
import { type CommandContext, type HubOptions, hubOf } from './command-context.ts';
import { CommandError, exitCodes } from './command-error.ts';
import { wholeNumber } from './command-options.ts';
import type { Fault } from './fault.ts';
import { type FaultReport, type FaultRunOptions, runFault } from './fault-run.ts';
import { faults, faultsByName } from './fault-table.ts';
import { createAlertWatch } from './fault-watch.ts';

/** The options of faults, as commander gives them. `faults` is `true` where no name was given. */
export interface FaultOptions extends HubOptions {
  faults?: string | true;
  hold: number;
  pace: number;
  prometheus?: string;
  collectorStop: string;
  collectorStart: string;
  backendsStop: string;
  backendsStart: string;
}

/** Ten minutes of a window and five of patience, and something for scrapes. */
const holdSecondsDefault = 960;
const holdSecondsMax = 7200;
const paceMsDefault = 1000;
const pollMs = 500;
/** Faults that are made at the same time; each may have a hub of its own. */
const sideBySideMax = 4;

/** Adds the options to the command `demo`. */
export function addFaultOptions(command: Command): Command {
  const shell = (flags: string, what: string, value: string) =>
    new Option(flags, `what ${what}`).default(value).helpGroup('Faults:');
  return command
    .addOption(
      new Option('--faults [names]', 'make the conditions of alerts instead: names, all, or list').helpGroup('Faults:'),
    )
    .addOption(
      new Option('--hold <seconds>', 'how long a fault lasts, at most where --prometheus says that the alert fires')
        .argParser(wholeNumber(1, holdSecondsMax))
        .default(holdSecondsDefault)
        .helpGroup('Faults:'),
    )
    .addOption(
      new Option('--pace <milliseconds>', 'time between two rounds of a fault')
        .argParser(wholeNumber(10, 60_000))
        .default(paceMsDefault)
        .helpGroup('Faults:'),
    )
    .addOption(
      new Option(
        '--prometheus <url>',
        'ask this Prometheus, undo a fault when its alert fires, and see it resolve',
      ).helpGroup('Faults:'),
    )
    .addOption(shell('--collector-stop <command>', 'ends the collector', 'docker compose stop otel-collector'))
    .addOption(shell('--collector-start <command>', 'starts the collector', 'docker compose start otel-collector'))
    .addOption(shell('--backends-stop <command>', 'ends Tempo and Loki', 'docker compose stop tempo loki'))
    .addOption(shell('--backends-start <command>', 'starts Tempo and Loki', 'docker compose start tempo loki'));
}

/** Lists faults, or makes those that are named. @throws CommandError where one could not be made, or its alert was missed */
export async function runFaults(context: CommandContext, options: FaultOptions): Promise<void> {
  const { output, signal } = context;
  const names = options.faults;
  if (names === undefined || names === true || names === 'list') return listFaults(context);
  const wanted = faultsByName(names);
  const failed: string[] = [];
  const run = runOptions(context, options, (report) => {
    if (report.state === 'missed') failed.push(report.fault);
    output.record({ kind: 'fault', time: new Date().toISOString(), ...report }, reportLines(context, report));
  });
  const make = async (fault: Fault) => {
    output.record(
      { kind: 'fault', time: new Date().toISOString(), fault: fault.name, alert: fault.alert, state: 'begun' },
      [`${output.tone('strong', fault.name)}: ${fault.does}, so that ${fault.alert} fires`],
    );
    try {
      await runFault(fault, run);
    } catch (error) {
      if (signal.aborted) return;
      failed.push(fault.name);
      const reason = printable(error instanceof Error ? error.message : 'unknown failure');
      output.record(
        {
          kind: 'fault',
          time: new Date().toISOString(),
          fault: fault.name,
          alert: fault.alert,
          state: 'failed',
          reason,
        },
        [`${fault.name}: ${output.tone('bad', 'failed')}: ${reason}`],
      );
    }
  };
  await sideBySide(
    wanted.filter(({ place }) => place !== 'collector'),
    sideBySideMax,
    make,
    signal,
  );
  // Nothing else is seen while the collector is harmed.
  await sideBySide(
    wanted.filter(({ place }) => place === 'collector'),
    1,
    make,
    signal,
  );
  if (signal.aborted) throw new CommandError(exitCodes.interrupted, 'interrupted; the faults are undone');
  if (failed.length > 0) throw new CommandError(exitCodes.failed, `not as it should be: ${failed.join(', ')}`);
}

function listFaults({ output }: CommandContext): void {
  output.table(
    faults.map(({ name, alert, place, does }) => ({ fault: name, alert, place, does })),
    [
      { title: 'FAULT', cell: ({ fault }) => fault },
      { title: 'MADE ON', cell: ({ place }) => place },
      { title: 'IT', cell: ({ does }) => does },
    ],
    'no faults',
  );
}

function runOptions(
  context: CommandContext,
  options: FaultOptions,
  onReport: FaultRunOptions['onReport'],
): FaultRunOptions {
  const { prometheus, collectorStop, collectorStart, backendsStop, backendsStart } = options;
  if (prometheus !== undefined && !URL.canParse(prometheus))
    throw new CommandError(exitCodes.usage, '--prometheus: must be an http or https address');
  return {
    hub: hubOf(options),
    surroundings: context,
    watch: prometheus === undefined ? undefined : createAlertWatch(prometheus, { pollMs, signal: context.signal }),
    commands: { collectorStop, collectorStart, backendsStop, backendsStart },
    paceMs: options.pace,
    holdMs: options.hold * 1000,
    onReport,
  };
}

const stateTexts = {
  made: 'made; hold',
  firing: 'fires',
  undone: 'undone',
  resolved: 'has resolved',
  missed: 'was not seen as it should be',
} as const;

function reportLines({ output }: CommandContext, { fault, alert, state, alsoFiring = [] }: FaultReport): string[] {
  const others = alsoFiring.length === 0 ? '' : output.tone('quiet', ` (so do ${alsoFiring.join(', ')})`);
  switch (state) {
    case 'made':
    case 'undone':
      return [`${fault}: ${stateTexts[state]}`];
    case 'firing':
      return [`${fault}: ${alert} ${output.tone('bad', stateTexts[state])}${others}`];
    case 'resolved':
      return [`${fault}: ${alert} ${output.tone('good', stateTexts[state])}`];
    case 'missed':
      return [`${fault}: ${alert} ${output.tone('bad', stateTexts[state])}`];
    default:
      return state satisfies never;
  }
}

/** Does `work` for each item, `count` at a time, in order; starts nothing new once the signal has aborted. */
async function sideBySide<Item>(
  items: readonly Item[],
  count: number,
  work: (item: Item) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const waiting = [...items];
  const worker = async () => {
    for (let item = waiting.shift(); item !== undefined && !signal.aborted; item = waiting.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: count }, worker));
}
