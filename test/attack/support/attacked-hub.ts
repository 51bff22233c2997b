/** A hub under attack: a process as users run it, with a probe of its event loop and memory, and keys for attackers. */
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import type { KeyScope, Role } from '../../../src/shapes/access.ts';
import { freePort, type HubProcess, type HubProcessOptions, startHubProcess } from '../../support/hub/hub-process.ts';
import type { LoopStall } from './loop-stalls.ts';

/** A key with a `fetch` that sends it. */
export interface AttackKey {
  readonly secret: string;
  fetch(path: string, init?: RequestInit & { json?: unknown }): Promise<Response>;
  /** Calls a tool over HTTP, and returns the status with the parsed answer. */
  call(serverId: string, toolName: string, args?: object, more?: object): Promise<Answer>;
  /** Sends one JSON-RPC request to `/mcp`, and returns the status with the parsed answer. */
  mcp(method: string, params?: object): Promise<Answer>;
}

/** An answer of the hub. */
export interface Answer {
  status: number;
  // biome-ignore lint/suspicious/noExplicitAny: what it holds is what the attack finds out
  body: any;
}

/** What the probe measures, since the last reading. */
export interface Probe {
  /** The longest time in which the event loop did not turn, in milliseconds: on a busy machine it may have had no processor. */
  longestStallMs: number;
  /** The most processor time of the event loop's thread in one turn, in milliseconds, however busy the machine is. */
  longestStallCpuMs: number;
  /** The stalls over 30 ms. */
  stalls: readonly LoopStall[];
  /** The memory of the process, and what of it JavaScript uses after garbage collection. */
  residentMib: number;
  usedMib: number;
  /** What of it JavaScript used after the last major collection of V8. */
  usedAfterCollectionMib: number;
}

/** A hub under attack. */
export interface AttackedHub extends HubProcess {
  probe(): Promise<Probe>;
  /** As {@link AttackedHub.probe} without a garbage collection, which holds the loop. */
  stalls(): Promise<Omit<Probe, 'usedMib'>>;
  operator: AttackKey;
  agent(agentId: string, options?: { role?: Role; namespace?: string; scope?: KeyScope }): Promise<AttackKey>;
}

/** How the hub is started. `nodeOptions` are options of Node, such as `--max-old-space-size=256`. */
export interface AttackedHubOptions extends HubProcessOptions {
  nodeOptions?: readonly string[];
}

const probedMain = fileURLToPath(new URL('./probed-main.ts', import.meta.url));
const stallSchema = z.object({
  at: z.number(),
  ms: z.number(),
  cpuMs: z.number(),
  waitedMs: z.number(),
  collectedMs: z.number(),
});
const probeSchema = z.object({
  longestStallMs: z.number(),
  longestStallCpuMs: z.number(),
  stalls: z.array(stallSchema),
  residentMib: z.number(),
  usedMib: z.number(),
  usedAfterCollectionMib: z.number(),
});

/** Starts the hub, and resolves when it is ready. Servers may not be connected yet. */
export async function startAttackedHub({
  nodeOptions = [],
  ...options
}: AttackedHubOptions = {}): Promise<AttackedHub> {
  const probePort = await freePort();
  const entry = ['--expose-gc', ...nodeOptions, probedMain, String(probePort)] as const;
  const hub = await startHubProcess({ ...options, entry: [...entry] });
  try {
    await hub.ready();
  } catch (error) {
    await hub[Symbol.asyncDispose]();
    throw error;
  }
  const operator = attackKey(hub, hub.key());
  const measured = async (path: string) =>
    probeSchema.parse(await (await fetch(`http://127.0.0.1:${probePort}${path}`)).json());
  const probe = () => measured('/');
  await probe();
  return {
    ...hub,
    operator,
    probe,
    stalls: () => measured('/stalls'),
    agent: async (agentId, { role = 'agent', namespace = 'default', scope } = {}) => {
      const created = await operator.fetch('/v1/keys', { json: { agentId, role, namespace, ...(scope && { scope }) } });
      if (created.status !== 201) throw new Error(`the key was not created: ${await created.text()}`);
      return attackKey(hub, z.object({ key: z.string() }).parse(await created.json()).key);
    },
  };
}

function attackKey(hub: HubProcess, secret: string): AttackKey {
  const send: AttackKey['fetch'] = (path, { headers, ...init } = {}) =>
    hub.fetch(path, {
      ...init,
      headers: { authorization: `Bearer ${secret}`, ...Object.fromEntries(new Headers(headers)) },
    });
  return {
    secret,
    fetch: send,
    call: async (serverId, toolName, args = {}, more = {}) =>
      answered(send(`/v1/tools/${serverId}/${toolName}/call`, { json: { arguments: args, ...more } })),
    mcp: async (method, params = {}) =>
      answered(
        send('/mcp', {
          json: { jsonrpc: '2.0', id: 1, method, params },
          headers: { accept: 'application/json, text/event-stream' },
        }),
      ),
  };
}

async function answered(sent: Promise<Response>): Promise<Answer> {
  const response = await sent;
  const text = await response.text();
  const json = /^data: (.*)$/m.exec(text)?.[1] ?? text;
  return { status: response.status, body: json === '' ? undefined : JSON.parse(json) };
}
