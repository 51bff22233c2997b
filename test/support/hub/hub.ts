/** Starts a complete hub in the test process, with real SQLite in a folder of its own, and a clock that tests advance. */

import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { configurationSource, loadConfig, version } from '../../../src/config.ts';
import type { KeyScope, Role } from '../../../src/shapes/access.ts';
import type { Config, ConfigurationFile } from '../../../src/shapes/configuration/config.ts';
import { inheritedEnvironment } from '../../../src/shapes/server.ts';
import { openLog } from '../../../src/telemetry/log.ts';
import { startTelemetry, type Telemetry } from '../../../src/telemetry/start.ts';
import { createHub, type Hub } from '../../../src/wiring/hub.ts';

/** An API key for tests: its secret, and a `fetch` that sends it. */
export interface TestKey {
  secret: string;
  keyId: string;
  fetch: (path: string, init?: RequestInit & { json?: unknown }) => Promise<Response>;
}

/** A hub under test. */
export interface TestHub extends AsyncDisposable {
  hub: Hub;
  config: Config;
  folder: string;
  operator: TestKey;
  /** Creates a further key. */
  key(agentId: string, role?: Role, namespace?: string, scope?: KeyScope): Promise<TestKey>;
  /** Sends a request without a key. */
  fetch: (path: string, init?: RequestInit & { json?: unknown }) => Promise<Response>;
  /** The log lines so far, parsed. */
  logLines(): Record<string, unknown>[];
  /** Lets time pass for the hub. */
  advance(milliseconds: number): void;
  /** Sets the clock of the hub ahead, or back by a negative value, without time passing. */
  jumpClock(milliseconds: number): void;
}

/** What a test may set. */
export interface TestHubOptions {
  file?: Partial<ConfigurationFile> | Record<string, unknown>;
  environment?: Record<string, string>;
  /** A folder with the data of an earlier hub. It is not removed. */
  folder?: string;
  telemetry?: Telemetry;
}

/** Builds and starts a hub. Disposing it stops it and removes its folder. */
export async function startTestHub(options: TestHubOptions = {}): Promise<TestHub> {
  const folder = options.folder ?? (await mkdtemp(join(tmpdir(), 'hestia-test-')));
  const configFile = join(folder, 'hestia.config.json');
  await writeFile(configFile, JSON.stringify(options.file ?? {}));
  const sources = {
    environment: {
      ...inheritedEnvironment(process.env),
      HESTIA_DATA_DIR: folder,
      HESTIA_CONFIG: configFile,
      OTEL_SDK_DISABLED: 'true',
      ...options.environment,
    },
    workingDirectory: folder,
  };
  const config = loadConfig(sources);
  const log = await openLog({ ...config.log, standardOutput: 'none' });
  const telemetry = options.telemetry ?? (await startTelemetry({ configuration: config.telemetry, log }));
  let aheadMs = 0;
  let passedMs = 0;
  const now = () => Date.now() + aheadMs;
  const monotonicNow = () => performance.now() + passedMs;
  const hub = await createHub({
    config,
    configurationSource: configurationSource(sources),
    version,
    log,
    telemetry,
    now,
    monotonicNow,
  });
  await hub.access.createFirst(() => {});
  await hub.start();
  const bootstrapCaller = { keyId: 'start', agentId: 'tests', namespace: 'default', role: 'operator' } as const;
  const key: TestHub['key'] = async (agentId, role = 'agent', namespace = 'default', scope = undefined) => {
    const created = await hub.access.create(bootstrapCaller, { agentId, role, namespace, scope });
    return { secret: created.secret, keyId: created.key.keyId, fetch: request(hub, created.secret) };
  };
  return {
    hub,
    config,
    folder,
    key,
    operator: await key('operator', 'operator'),
    fetch: request(hub, undefined),
    logLines: () => readLines(config.log.file),
    advance: (milliseconds) => {
      aheadMs += milliseconds;
      passedMs += milliseconds;
    },
    jumpClock: (milliseconds) => {
      aheadMs += milliseconds;
    },
    [Symbol.asyncDispose]: async () => {
      await hub.drain();
      await hub[Symbol.asyncDispose]();
      await log.close();
      if (options.folder === undefined) await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Reads the lines of an NDJSON file, parsed. Omits a last line that is still being written. */
export function readLines(file: string): Record<string, unknown>[] {
  const text = readFileSync(file, 'utf8');
  return text
    .slice(0, text.lastIndexOf('\n') + 1)
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
}

function request(hub: Hub, secret: string | undefined): TestKey['fetch'] {
  return async (path, { json, headers, ...init } = {}) => {
    const all = new Headers(headers);
    if (secret !== undefined) all.set('authorization', `Bearer ${secret}`);
    if (!all.has('host')) all.set('host', 'localhost');
    if (json !== undefined) all.set('content-type', 'application/json');
    const body = json === undefined ? init.body : JSON.stringify(json);
    return hub.fetch(
      new Request(`http://localhost${path}`, {
        method: json === undefined ? 'GET' : 'POST',
        ...init,
        headers: all,
        ...(body !== undefined && { body }),
      }),
    );
  };
}

/** Renders a valid SKILL.md. */
export function skillText(
  name: string,
  description = `Helps with ${name}.`,
  instructions = `Do ${name} well.`,
): string {
  return `---\nname: ${name}\ndescription: ${description}\n---\n\n${instructions}\n`;
}

/** Publishes a skill and expects it to be accepted. */
export async function publishSkill(key: TestKey, name: string, text: string = skillText(name)): Promise<Response> {
  const response = await key.fetch(`/v1/skills/${name}`, {
    method: 'PUT',
    body: text,
    headers: { 'content-type': 'text/markdown' },
  });
  if (!response.ok) throw new Error(`publishing ${name}: ${await response.text()}`);
  return response;
}

/** Parses the JSON body of a response. */
// biome-ignore lint/suspicious/noExplicitAny: what it holds is what the test finds out
export async function json(response: Response | Promise<Response>): Promise<any> {
  return (await response).json();
}
