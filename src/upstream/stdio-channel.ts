/**
 * A stdio channel: starts an upstream server as a child process, and ends it on close. The environment is the
 * configured one and the safe defaults of the MCP library. Standard error is logged. The process is ended by SIGKILL
 * if necessary.
 */
import { Readable } from 'node:stream';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { settledWithin } from '../flow/time-limit.ts';
import type { StdioServer } from '../shapes/server.ts';
import type { Channel } from './channel.ts';
import type { UpstreamLog } from './log.ts';
import { logStderr } from './stderr-log.ts';

/** The times after the end of its input at which a child process gets SIGTERM and SIGKILL, in milliseconds. */
const terminateAfterMs = 1000;
const killAfterMs = 1800;
const closeMsMax = 2200;

/** Dependencies of a stdio channel. */
export interface StdioChannelDeps {
  serverId: string;
  configuration: StdioServer;
  /** The longest message, in bytes. A longer one closes the channel. */
  messageBytesMax: number;
  log: UpstreamLog;
}

/** Creates a channel. The process is started when the client connects. */
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

/** The library ends the input and waits. The signals are sent here, since the library sends its own too late. */
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
    // The process has exited already.
  }
}
