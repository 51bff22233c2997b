/** Connections to servers under test: created with short delays, and observed. */
import { expect, vi } from 'vitest';
import { type Config, configurationFileSchema } from '../../../src/shapes/configuration/config.ts';
import type { JsonObject } from '../../../src/shapes/json.ts';
import type { ServerConfiguration, ServerState, ServerStatus } from '../../../src/shapes/server.ts';
import type { ToolDefinition, ToolResult } from '../../../src/shapes/tool.ts';
import { UpstreamCallError } from '../../../src/upstream/call-failure.ts';
import { createConnection, type UpstreamConnection } from '../../../src/upstream/connection.ts';
import type { UpstreamLog, UpstreamLogFields } from '../../../src/upstream/log.ts';

/** Limits for tests: defaults but for the waits. */
export function quickLimits(changes: Partial<Config['limits']> = {}): Config['limits'] {
  const limits = configurationFileSchema.parse({}).limits;
  return { ...limits, connectTimeoutMs: 15_000, reconnectDelayMs: 20, reconnectDelayMsMax: 200, ...changes };
}

/** One remembered log line. */
export interface LogLine {
  level: string;
  message: string;
  fields: UpstreamLogFields;
}

/** A log that keeps its lines. */
export function createMemoryLog(): UpstreamLog & { lines: LogLine[] } {
  const lines: LogLine[] = [];
  const at =
    (level: string) =>
    (message: string, fields: UpstreamLogFields = {}) => {
      lines.push({ level, message, fields });
    };
  return { lines, debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

/** A connection under test with what it reported. */
export interface Watched {
  connection: UpstreamConnection;
  log: ReturnType<typeof createMemoryLog>;
  statuses: ServerStatus[];
  changes: { tools: readonly ToolDefinition[]; refused: number }[];
}

/** Makes a connection and remembers what it reports. */
export function watchedConnection(
  configuration: ServerConfiguration,
  limits: Config['limits'] = quickLimits(),
  random: () => number = () => 0.99,
): Watched {
  const log = createMemoryLog();
  const statuses: ServerStatus[] = [];
  const changes: Watched['changes'] = [];
  const connection = createConnection({
    serverId: 'upstream',
    configuration,
    limits,
    clientVersion: '0.0.0',
    log,
    random,
    onToolsChanged: (tools, refused) => changes.push({ tools, refused }),
    onStateChanged: (status) => statuses.push(status),
  });
  return { connection, log, statuses, changes };
}

/** Calls a tool with a signal of its own unless one is given. */
export function callTool(
  connection: UpstreamConnection,
  toolName: string,
  args: JsonObject = {},
  options: Partial<Parameters<UpstreamConnection['call']>[0]> = {},
): Promise<ToolResult> {
  return connection.call({ toolName, arguments: args, signal: new AbortController().signal, ...options });
}

/** The error that a call fails with, which must be the room's own. */
export async function callFailure(call: Promise<ToolResult>): Promise<UpstreamCallError> {
  const error = await call.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof UpstreamCallError)) throw new Error('the call did not fail as it should', { cause: error });
  return error;
}

/** The text of the first content block. */
export function textOf(result: ToolResult): string {
  const text = result.content[0]?.text;
  if (typeof text !== 'string') throw new Error('the first content block is not text');
  return text;
}

/** Resolves when the connection is in the state. */
export async function untilState(connection: UpstreamConnection, state: ServerState, timeout = 10_000): Promise<void> {
  await expect.poll(() => connection.status().state, { timeout, interval: 10 }).toBe(state);
}

/** Resolves when the check no longer throws. */
export function until(check: () => void | Promise<void>, timeout = 10_000): Promise<void> {
  return vi.waitFor(check, { timeout, interval: 10 });
}
