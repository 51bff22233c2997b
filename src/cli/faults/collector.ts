/**
 * Faults of the collector and of its backends, Tempo and Loki.
 * Shell commands stop and start them, because the hub does not know how they are deployed.
 */
import { spawn } from 'node:child_process';
import { CommandError, exitCodes } from '../command-error.ts';
import { type Fault, type FaultContext, repeat, undoing } from './fault.ts';

/** The faults of the collector. */
export const collectorFaults: readonly Fault[] = [
  {
    name: 'collector-down',
    alert: 'HestiaCollectorDown',
    place: 'collector',
    does: 'stops the collector',
    make: async ({ commands }) => {
      await runShell(commands.collectorStop);
      return undoing(() => runShell(commands.collectorStart));
    },
  },
  {
    name: 'collector-failing',
    alert: 'HestiaCollectorFailing',
    place: 'collector',
    does: 'sends log records that are a month old, which Loki rejects permanently',
    make: sendOldRecords,
  },
  {
    name: 'collector-queue-filling',
    alert: 'HestiaCollectorQueueFilling',
    place: 'collector',
    does: 'stops Tempo and Loki while the hub is busy, so that the queues grow',
    make: fillQueues,
  },
];

async function fillQueues(context: FaultContext): Promise<AsyncDisposable> {
  const { commands, hub } = context;
  await using parts = new AsyncDisposableStack();
  await runShell(commands.backendsStop);
  parts.use(undoing(() => runShell(commands.backendsStart)));
  // Read requests produce spans too, and change nothing.
  parts.use(await repeat(() => hub.send('/v1/tools/stats'), context));
  return parts.move();
}

const recordAgeMs = 30 * 86_400_000;

function sendOldRecords(context: FaultContext): Promise<AsyncDisposable> {
  return repeat(() => sendLogRecord(context.otlpUrl, Date.now() - recordAgeMs), context);
}

/** Sends one log record by OTLP over HTTP, in JSON. @throws CommandError if the collector does not accept it */
async function sendLogRecord(otlpUrl: string, timeMs: number): Promise<void> {
  const attributes = [{ key: 'service.name', value: { stringValue: 'hestia-demo' } }];
  const record = {
    timeUnixNano: `${timeMs}000000`,
    severityNumber: 9,
    severityText: 'INFO',
    body: { stringValue: 'A month-old record, sent by hestia demo' },
  };
  const body = { resourceLogs: [{ resource: { attributes }, scopeLogs: [{ logRecords: [record] }] }] };
  const url = `${otlpUrl.replace(/\/$/, '')}/v1/logs`;
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) }).catch((cause) => {
    throw new CommandError(exitCodes.unreachable, `no collector accepts OTLP at ${url}`, { cause });
  });
  if (!response.ok) throw new CommandError(exitCodes.failed, `the collector answered ${response.status} at ${url}`);
}

/** Runs a command with its output on standard error. @throws CommandError with the command if it fails */
async function runShell(command: string): Promise<void> {
  const child = spawn(command, { shell: true, stdio: ['ignore', 2, 2] });
  const code = await new Promise<number | null>((resolve) => {
    child.once('error', () => resolve(null));
    child.once('exit', (exitCode) => resolve(exitCode));
  });
  if (code !== 0) throw new CommandError(exitCodes.failed, `the command failed with ${code}: ${command}`);
}
