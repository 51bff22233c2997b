/** Connections to servers under test, with what they report, closed when the test ends. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { type Config, configurationFileSchema } from '../../../src/shapes/configuration/config.ts';
import type { JsonObject } from '../../../src/shapes/json.ts';
import {
  inheritedEnvironment,
  type ServerConfiguration,
  type ServerState,
  type ServerStatus,
} from '../../../src/shapes/server.ts';
import type { ToolDefinition, ToolResult } from '../../../src/shapes/tool.ts';
import { UpstreamCallError } from '../../../src/upstream/call-failure.ts';
import type { UpstreamConnection } from '../../../src/upstream/connection/contract.ts';
import { createConnection } from '../../../src/upstream/connection.ts';
import type { UpstreamLog, UpstreamLogFields } from '../../../src/upstream/log.ts';
import { createStartLimit } from '../../../src/upstream/start-limit.ts';
import { waitFor } from '../wait-for.ts';

/** The default limits, with short reconnect delays. The connect timeout is one that a busy machine keeps. */
export function quickLimits(changes: Partial<Config['limits']> = {}): Config['limits'] {
  const limits = configurationFileSchema.parse({}).limits;
  return { ...limits, connectTimeoutMs: 60_000, reconnectDelayMs: 20, reconnectDelayMsMax: 200, ...changes };
}

/** A recorded log line. */
export interface LogLine {
  level: string;
  message: string;
  fields: UpstreamLogFields;
}

/** A log that records its lines. */
export function createMemoryLog(): UpstreamLog & { lines: LogLine[] } {
  const lines: LogLine[] = [];
  const at =
    (level: string) =>
    (message: string, fields: UpstreamLogFields = {}) => {
      lines.push({ level, message, fields });
    };
  return { lines, debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

/** A connection under test, with what it has logged and reported. */
export interface ObservedConnection {
  connection: UpstreamConnection;
  log: ReturnType<typeof createMemoryLog>;
  statuses: ServerStatus[];
  toolChanges: { tools: readonly ToolDefinition[]; refused: number }[];
}

/** Creates a connection and records what it reports. The caller closes it. */
export function observeConnection(
  configuration: ServerConfiguration,
  limits: Config['limits'] = quickLimits(),
): ObservedConnection {
  const log = createMemoryLog();
  const statuses: ServerStatus[] = [];
  const toolChanges: ObservedConnection['toolChanges'] = [];
  const connection = createConnection({
    serverId: 'upstream',
    configuration,
    environment: inheritedEnvironment(process.env),
    limits,
    startLimit: createStartLimit(),
    clientVersion: '0.0.0',
    log,
    random: () => 0.99,
    onToolsChanged: (tools, refused) => toolChanges.push({ tools, refused }),
    onStateChanged: (status) => statuses.push(status),
  });
  return { connection, log, statuses, toolChanges };
}

/** Disposes of a resource when the test ends, the last one first. */
export function disposeAfterTest<T extends AsyncDisposable>(resource: T): T {
  onTestFinished(async () => resource[Symbol.asyncDispose]());
  return resource;
}

/** Creates a connection that is not connected yet, and that is closed when the test ends. */
export function createTestConnection(...args: Parameters<typeof observeConnection>): ObservedConnection {
  const observed = observeConnection(...args);
  disposeAfterTest(observed.connection);
  return observed;
}

/** Connects to a server. The connection is closed when the test ends. */
export async function connectTo(...args: Parameters<typeof observeConnection>): Promise<ObservedConnection> {
  const observed = createTestConnection(...args);
  await observed.connection.connect();
  expect(observed.connection.status().state).toBe('connected');
  return observed;
}

/** The path of a file that does not exist yet, in a folder that is removed when the test ends. */
export async function temporaryFile(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'hestia-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  return join(folder, 'file');
}

/** The states that a connection has reported, in order. */
export function statesOf(statuses: readonly ServerStatus[]): ServerState[] {
  return statuses.map(({ state }) => state);
}

/** Calls a tool, without a deadline unless a signal is given. */
export function callTool(
  connection: UpstreamConnection,
  toolName: string,
  args: JsonObject = {},
  options: Partial<Parameters<UpstreamConnection['call']>[0]> = {},
): Promise<ToolResult> {
  return connection.call({ toolName, arguments: args, signal: new AbortController().signal, ...options });
}

/** The error with which a call fails, which must be an UpstreamCallError. */
export async function callFailure(call: Promise<ToolResult>): Promise<UpstreamCallError> {
  const error = await call.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof UpstreamCallError))
    throw new Error('the call did not fail with an UpstreamCallError', { cause: error });
  return error;
}

/** The text of the first content block. */
export function textOf(result: ToolResult): string {
  const text = result.content[0]?.text;
  if (typeof text !== 'string') throw new Error('the first content block is not text');
  return text;
}

/** Waits until the connection is in the state. */
export function untilState(connection: UpstreamConnection, state: ServerState): Promise<void> {
  return waitFor(() => expect(connection.status().state).toBe(state));
}
