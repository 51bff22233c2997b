/**
 * A stdio channel: an upstream server as a child process, which is ended on close. The processes that the server has
 * started are ended with it. Its standard error is logged, and the last lines are kept with the exit code.
 */
import type { StdioServer } from '../../shapes/server.ts';
import type { Channel } from '../channel.ts';
import type { UpstreamLog } from '../log.ts';
import type { SessionFailureDetail } from '../session-failure.ts';
import { groupsBelow } from './descendants.ts';
import { groupEnded, killGroup, type PipedProcess, signalGroup } from './process-group.ts';
import { logStderr } from './stderr-log.ts';
import { StdioTransport } from './transport.ts';

/** The times after the end of its input at which a process group gets SIGTERM and SIGKILL, in milliseconds. */
const terminateAfterMs = 1000;
const killAfterMs = 1800;
const closeMsMax = 2200;

/** Dependencies of a stdio channel. */
export interface StdioChannelDeps {
  serverId: string;
  configuration: StdioServer;
  /** The variables that every server gets. Those of its configuration take precedence. */
  environment: Record<string, string>;
  /** The longest message, in bytes. A longer one closes the channel. */
  messageBytesMax: number;
  log: UpstreamLog;
}

/** Creates a channel. The process is started when the client connects. */
export function createStdioChannel(deps: StdioChannelDeps): Channel {
  const { command, args, env, cwd } = deps.configuration;
  const detail: SessionFailureDetail = {};
  const transport = new StdioTransport({
    program: { command, args, env: { ...deps.environment, ...env }, cwd },
    lineBytesMax: deps.messageBytesMax,
    onStarted: (child) => observe(child, deps, detail),
    onLineTooLong: () => {
      detail.isMessageTooLarge = true;
    },
  });
  let closing: Promise<void> | undefined;
  const close = () => {
    closing ??= endProcessGroup(transport);
    return closing;
  };
  return { transport, close, detail: () => detail, call: (params, signal) => transport.calls.call(params, signal) };
}

function observe(child: PipedProcess, { serverId, log }: StdioChannelDeps, detail: SessionFailureDetail): void {
  detail.stderrLines = logStderr(child.stderr, { serverId, log });
  child.once('exit', (code, signal) => {
    if (code !== null) detail.exitCode = code;
    if (signal !== null) detail.exitSignal = signal;
  });
}

/** Closes the input, and signals the groups that do not end by themselves. */
async function endProcessGroup(transport: StdioTransport): Promise<void> {
  const { pid } = transport;
  // Read first: once a process has exited, nothing tells which processes it has started.
  const groups = pid === null ? [] : [pid, ...groupsBelow(pid)];
  await transport.close();
  await Promise.all(groups.map(endGroup));
  transport.release();
}

async function endGroup(pid: number): Promise<void> {
  if (await groupEnded(pid, terminateAfterMs)) return;
  signalGroup(pid, 'SIGTERM');
  if (await groupEnded(pid, killAfterMs - terminateAfterMs)) return;
  killGroup(pid);
  await groupEnded(pid, closeMsMax - killAfterMs);
}
