/**
 * A child process as a channel: starts it with the environment that is configured and nothing else but the library's
 * safe defaults, reads its standard error, and really ends it. Knows nothing of what is said over the channel.
 */
import { Readable } from 'node:stream';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { settledWithin } from '../flow/time-limit.ts';
import type { StdioServer } from '../shapes/server.ts';
import type { Channel } from './channel.ts';
import type { UpstreamLog } from './log.ts';
import { logStderr } from './stderr-log.ts';

/** A child gets this long to leave once its input has ended, then SIGTERM; at the second mark SIGKILL. Milliseconds. */
const terminateAfterMs = 1000;
const killAfterMs = 1800;
const closeMsMax = 2200;

/** What a stdio channel is made of. */
export interface StdioChannelDeps {
  serverId: string;
  configuration: StdioServer;
  /** The longest message, in bytes; a longer one ends the channel. */
  messageBytesMax: number;
  log: UpstreamLog;
}

/** Prepares a child process; it starts when the client connects. */
export function createStdioChannel(deps: StdioChannelDeps): Channel {
  const { command, args, env, cwd } = deps.configuration;
  const transport = new StdioClientTransport({
    command,
    args,
    env,
    stderr: 'pipe',
    maxBufferSize: deps.messageBytesMax,
    ...(cwd === undefined ? {} : { cwd }),
  });
  if (transport.stderr instanceof Readable) logStderr(transport.stderr, deps);
  let closing: Promise<void> | undefined;
  const close = () => {
    closing ??= endChild(transport);
    return closing;
  };
  return { transport, close };
}

/** The library ends the input and waits; ours are the signals, for its own come too late. */
async function endChild(transport: StdioClientTransport): Promise<void> {
  const { pid } = transport;
  const closed = transport.close();
  if (await settledWithin(terminateAfterMs, closed)) return;
  if (pid !== null) signalChild(pid, 'SIGTERM');
  if (await settledWithin(killAfterMs - terminateAfterMs, closed)) return;
  if (pid !== null) signalChild(pid, 'SIGKILL');
  await settledWithin(closeMsMax - killAfterMs, closed);
}

function signalChild(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It is gone already, which is what was wanted.
  }
}
