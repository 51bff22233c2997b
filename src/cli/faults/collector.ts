/**
 * Faults of the collector and of what is behind it. It is ended and started by shell commands, since how it runs is not the
 * hub's business; what a sender can do, the demo does itself.
 */
import { spawn } from 'node:child_process';
import { CommandError, exitCodes } from '../command-error.ts';
import { type Fault, type FaultContext, repeat, undoing } from './fault.ts';

/** The faults. */
export const faultsOfCollector: readonly Fault[] = [
  {
    name: 'collector-down',
    alert: 'HestiaCollectorDown',
    place: 'collector',
    does: 'ends the collector',
    make: async ({ commands }) => {
      await runShell(commands.collectorStop);
      return undoing(() => runShell(commands.collectorStart));
    },
  },
  {
    name: 'collector-failing',
    alert: 'HestiaCollectorFailing',
    place: 'collector',
    does: 'sends log records of a month ago, which Loki refuses for good',
    make: sendOldRecords,
  },
  {
    name: 'collector-queue-filling',
    alert: 'HestiaCollectorQueueFilling',
    place: 'collector',
    does: 'ends Tempo and Loki while the hub is busy, so that the queues grow',
    make: fillQueues,
  },
];

async function fillQueues(context: FaultContext): Promise<AsyncDisposable> {
  const { commands, hub } = context;
  await using parts = new AsyncDisposableStack();
  await runShell(commands.backendsStop);
  parts.use(undoing(() => runShell(commands.backendsStart)));
  // Reads make spans too, and change nothing.
  parts.use(await repeat(() => hub.send('/v1/tools/stats'), context));
  return parts.move();
}

const recordAgeMs = 30 * 86_400_000;

function sendOldRecords(context: FaultContext): Promise<AsyncDisposable> {
  return repeat(() => sendLogRecord(context.otlpUrl, Date.now() - recordAgeMs), context);
}

/** One log record as OTLP over HTTP, in JSON. @throws CommandError where the collector does not take it */
async function sendLogRecord(otlpUrl: string, timeMs: number): Promise<void> {
  const attributes = [{ key: 'service.name', value: { stringValue: 'hestia-demo' } }];
  const record = {
    timeUnixNano: `${timeMs}000000`,
    severityNumber: 9,
    severityText: 'INFO',
    body: { stringValue: 'A record of a month ago, sent by hestia demo' },
  };
  const body = { resourceLogs: [{ resource: { attributes }, scopeLogs: [{ logRecords: [record] }] }] };
  const url = `${otlpUrl.replace(/\/$/, '')}/v1/logs`;
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) }).catch((cause) => {
    throw new CommandError(exitCodes.unreachable, `no collector takes OTLP at ${url}`, { cause });
  });
  if (!response.ok) throw new CommandError(exitCodes.failed, `the collector answered ${response.status} at ${url}`);
}

/** @throws CommandError with the command where it fails; what it prints goes to standard error */
async function runShell(command: string): Promise<void> {
  const child = spawn(command, { shell: true, stdio: ['ignore', 2, 2] });
  const code = await new Promise<number | null>((resolve) => {
    child.once('error', () => resolve(null));
    child.once('exit', (exitCode) => resolve(exitCode));
  });
  if (code !== 0) throw new CommandError(exitCodes.failed, `the command failed with ${code}: ${command}`);
}
