/** `hestia demo --faults`: lists faults, or makes them, tells which alert should fire and why, and undoes them. */
import { type Command, Option } from 'commander';
import { printable } from '../../shapes/text.ts';
import { type CommandContext, type HubOptions, hubOf } from '../command-context.ts';
import { CommandError, exitCodes } from '../command-error.ts';
import { wholeNumber } from '../command-options.ts';
import { createAlertWatch } from './alert-watch.ts';
import type { Fault } from './fault.ts';
import { type FaultReport, type FaultRunOptions, runFault } from './run.ts';
import { faults, faultsByName } from './table.ts';

/** The options of faults, as commander gives them. `faults` is `true` where no name was given. */
export interface FaultOptions extends HubOptions {
  faults?: string | true;
  hold: number;
  pace: number;
  prometheus?: string;
  untilResolved?: boolean;
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
  // An option is added when it is whole: commander takes its default then.
  const add = (option: Option) => command.addOption(option.helpGroup('Faults:'));
  const shell = (flags: string, does: string, value: string) => add(new Option(flags, `what ${does}`).default(value));
  add(new Option('--faults [names]', 'make the conditions of alerts instead: names, all, or list'));
  add(
    new Option('--hold <seconds>', 'how long a fault lasts, at most where --prometheus says that the alert fires')
      .argParser(wholeNumber(1, holdSecondsMax))
      .default(holdSecondsDefault),
  );
  add(
    new Option('--pace <milliseconds>', 'time between two rounds of a fault')
      .argParser(wholeNumber(10, 60_000))
      .default(paceMsDefault),
  );
  add(new Option('--prometheus <url>', 'ask this Prometheus, and undo a fault when its alert fires'));
  add(new Option('--until-resolved', 'see the alert resolve too, for as long as --hold says'));
  shell('--collector-stop <command>', 'ends the collector', 'docker compose stop otel-collector');
  shell('--collector-start <command>', 'starts the collector', 'docker compose start otel-collector');
  shell('--backends-stop <command>', 'ends Tempo and Loki', 'docker compose stop tempo loki');
  return shell('--backends-start <command>', 'starts Tempo and Loki', 'docker compose start tempo loki');
}

/** Lists faults, or makes those that are named. @throws CommandError where one could not be made, or its alert was missed */
export async function runFaults(context: CommandContext, options: FaultOptions): Promise<void> {
  const { signal } = context;
  const names = options.faults;
  if (names === undefined || names === true || names === 'list') return listFaults(context);
  const wanted = faultsByName(names);
  const failed: string[] = [];
  const tell = (report: ToldReport) => {
    if (report.state === 'missed' || report.state === 'failed') failed.push(report.fault);
    const record = { kind: 'fault', time: new Date().toISOString(), ...report };
    context.output.record(record, [reportLine(context, report)]);
  };
  const run = runOptions(context, options, tell);
  const make = async (fault: Fault) => {
    const { name, alert, does } = fault;
    tell({ fault: name, alert, state: 'begun', does });
    try {
      await runFault(fault, run);
    } catch (error) {
      if (signal.aborted) return;
      tell({ fault: name, alert, state: 'failed', reason: error instanceof Error ? error.message : 'unknown failure' });
    }
  };
  const isCollector = ({ place }: Fault) => place === 'collector';
  await sideBySide(
    wanted.filter((fault) => !isCollector(fault)),
    sideBySideMax,
    make,
    signal,
  );
  // Nothing else is seen while the collector is harmed.
  await sideBySide(wanted.filter(isCollector), 1, make, signal);
  if (signal.aborted) throw new CommandError(exitCodes.interrupted, 'interrupted; the faults are undone');
  if (failed.length > 0) throw new CommandError(exitCodes.failed, `not as it should be: ${failed.join(', ')}`);
}

/** What is told of a fault: its run's own reports, its beginning, and why it could not be made. */
type ToldReport =
  | FaultReport
  | { fault: string; alert: string; state: 'begun'; does: string }
  | { fault: string; alert: string; state: 'failed'; reason: string };

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
  const { prometheus, untilResolved = false, collectorStop, collectorStart, backendsStop, backendsStart } = options;
  if (prometheus !== undefined && !URL.canParse(prometheus))
    throw new CommandError(exitCodes.usage, '--prometheus: must be an http or https address');
  return {
    hub: hubOf(options),
    surroundings: context,
    watch: prometheus === undefined ? undefined : createAlertWatch(prometheus, { pollMs, signal: context.signal }),
    commands: { collectorStop, collectorStart, backendsStop, backendsStart },
    paceMs: options.pace,
    holdMs: options.hold * 1000,
    untilResolved,
    onReport,
  };
}

function reportLine({ output }: CommandContext, report: ToldReport): string {
  const { fault, alert, state } = report;
  const name = output.tone('strong', fault);
  switch (state) {
    case 'begun':
      return `${name}: ${report.does}, so that ${alert} fires`;
    case 'made':
      return `${name}: made`;
    case 'firing': {
      const others = report.alsoFiring ?? [];
      const also = others.length === 0 ? '' : output.tone('quiet', ` (as do ${others.join(', ')})`);
      return `${name}: ${alert} ${output.tone('bad', 'fires')}${also}`;
    }
    case 'undone':
      return `${name}: undone; the alert resolves by itself`;
    case 'resolved':
      return `${name}: ${alert} ${output.tone('good', 'has resolved')}`;
    case 'missed':
      return `${name}: ${alert} ${output.tone('bad', 'was not seen as it should be')}`;
    case 'failed':
      return `${name}: ${output.tone('bad', 'failed')}: ${printable(report.reason)}`;
    default:
      return report satisfies never;
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
