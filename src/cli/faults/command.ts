/** `hestia demo --faults`: lists faults, or injects them, reports their alerts, and undoes them. */
import { type Command, Option } from 'commander';
import { printable } from '../../shapes/text.ts';
import { type CommandContext, type HubOptions, hubOf } from '../command-context.ts';
import { CommandError, exitCodes } from '../command-error.ts';
import { wholeNumber } from '../command-options.ts';
import { createAlertWatch } from './alert-watch.ts';
import type { Fault } from './fault.ts';
import { type FaultReport, type FaultRunOptions, runFault } from './run.ts';
import { faults, faultsByName } from './table.ts';

/** The fault options as commander parses them. `faults` is `true` if no name was given. */
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

/** The window of an alert (ten minutes), its `for` (five minutes), and a minute for scrapes. */
const holdSecondsDefault = 960;
const holdSecondsMax = 7200;
const paceMsDefault = 1000;
const pollMs = 500;
/** Maximum number of concurrent faults. Each may run its own hub. */
const concurrentMax = 4;

/** Adds the options to the command `demo`. */
export function addFaultOptions(command: Command): Command {
  // An option is complete before it is added, because commander reads its default at that time.
  const add = (option: Option) => command.addOption(option.helpGroup('Faults:'));
  const shell = (flags: string, does: string, value: string) =>
    add(new Option(flags, `command that ${does}`).default(value));
  add(new Option('--faults [names]', 'inject the conditions of alerts instead: names, all, or list'));
  add(
    new Option('--hold <seconds>', 'how long a fault lasts; with --prometheus, at most until its alert fires')
      .argParser(wholeNumber(1, holdSecondsMax))
      .default(holdSecondsDefault),
  );
  add(
    new Option('--pace <milliseconds>', 'pause between two rounds of a fault')
      .argParser(wholeNumber(10, 60_000))
      .default(paceMsDefault),
  );
  add(new Option('--prometheus <url>', 'query this Prometheus, and undo a fault once its alert fires'));
  add(new Option('--until-resolved', 'also wait until the alert resolves, at most for --hold'));
  shell('--collector-stop <command>', 'stops the collector', 'docker compose stop otel-collector');
  shell('--collector-start <command>', 'starts the collector', 'docker compose start otel-collector');
  shell('--backends-stop <command>', 'stops Tempo and Loki', 'docker compose stop tempo loki');
  return shell('--backends-start <command>', 'starts Tempo and Loki', 'docker compose start tempo loki');
}

/** Lists faults, or injects the named ones. @throws CommandError if one cannot be injected, or its alert does not fire */
export async function runFaults(context: CommandContext, options: FaultOptions): Promise<void> {
  const { signal } = context;
  const names = options.faults;
  if (names === undefined || names === true || names === 'list') return listFaults(context);
  const wanted = faultsByName(names);
  const failed: string[] = [];
  const onReport = (report: AnyFaultReport) => {
    if (report.state === 'missed' || report.state === 'failed') failed.push(report.fault);
    const record = { kind: 'fault', time: new Date().toISOString(), ...report };
    context.output.record(record, [reportLine(context, report)]);
  };
  const run = runOptions(context, options, onReport);
  const make = async (fault: Fault) => {
    const { name, alert, does } = fault;
    onReport({ fault: name, alert, state: 'begun', does });
    try {
      await runFault(fault, run);
    } catch (error) {
      if (signal.aborted) return;
      onReport({
        fault: name,
        alert,
        state: 'failed',
        reason: error instanceof Error ? error.message : 'unknown failure',
      });
    }
  };
  const isCollector = ({ place }: Fault) => place === 'collector';
  await runConcurrently(
    wanted.filter((fault) => !isCollector(fault)),
    concurrentMax,
    make,
    signal,
  );
  // While the collector is impaired, no other alert can be observed.
  await runConcurrently(wanted.filter(isCollector), 1, make, signal);
  if (signal.aborted) throw new CommandError(exitCodes.interrupted, 'interrupted; all faults are undone');
  if (failed.length > 0) throw new CommandError(exitCodes.failed, `not as expected: ${failed.join(', ')}`);
}

/** A report of a fault: from its run, of its start, or of why it could not be injected. */
type AnyFaultReport =
  | FaultReport
  | { fault: string; alert: string; state: 'begun'; does: string }
  | { fault: string; alert: string; state: 'failed'; reason: string };

function listFaults({ output }: CommandContext): void {
  output.table(
    faults.map(({ name, alert, place, does }) => ({ fault: name, alert, place, does })),
    [
      { title: 'FAULT', cell: ({ fault }) => fault },
      { title: 'TARGET', cell: ({ place }) => place },
      { title: 'WHAT IT DOES', cell: ({ does }) => does },
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

function reportLine({ output }: CommandContext, report: AnyFaultReport): string {
  const { fault, alert, state } = report;
  const name = output.tone('strong', fault);
  switch (state) {
    case 'begun':
      return `${name}: ${report.does}; expects ${alert} to fire`;
    case 'made':
      return `${name}: injected`;
    case 'firing': {
      const others = report.alsoFiring ?? [];
      const also = others.length === 0 ? '' : output.tone('quiet', ` (also firing: ${others.join(', ')})`);
      return `${name}: ${alert} ${output.tone('bad', 'fires')}${also}`;
    }
    case 'undone':
      return `${name}: undone; the alert resolves without further action`;
    case 'resolved':
      return `${name}: ${alert} ${output.tone('good', 'has resolved')}`;
    case 'missed':
      return `${name}: ${alert} ${output.tone('bad', 'did not fire or did not resolve in time')}`;
    case 'failed':
      return `${name}: ${output.tone('bad', 'failed')}: ${printable(report.reason)}`;
    default:
      return report satisfies never;
  }
}

/** Runs `work` for each item in order, at most `count` at a time. Starts nothing new after `signal` aborts. */
async function runConcurrently<Item>(
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
