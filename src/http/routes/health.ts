/** The probes `/livez` and `/readyz`, without a key. Ready means that calls can be accepted and recorded. */
import { createRoute, type OpenAPIHono } from '@hono/zod-openapi';
import { z } from 'zod';
import type { AccessService } from '../../domain/access-service.ts';
import type { ServerService } from '../../domain/server-service.ts';
import type { MemoryWatch } from '../../flow/memory-watch.ts';

import { HestiaError } from '../../shapes/error.ts';
import type { ServerStatus } from '../../shapes/server.ts';
import { type HubEnv, optionalCaller } from '../authenticate.ts';
import { createRouter, jsonAnswer } from './route-parts.ts';

const readinessSchema = z
  .object({
    status: z.enum(['ready', 'not ready', 'draining']),
    message: z
      .string()
      .optional()
      .meta({ description: 'Present while servers are connecting for the first time: how many are connected.' }),
    dependencies: z.record(z.string(), z.looseObject({ state: z.string() })),
  })
  .meta({ id: 'Readiness' });

const tags = ['health'];
const liveRoute = createRoute({
  method: 'get',
  path: '/livez',
  summary: 'Check that the process responds; needs no key',
  tags,
  responses: { 200: jsonAnswer(z.object({ status: z.literal('alive') }), 'The process responds') },
});
const readyRoute = createRoute({
  method: 'get',
  path: '/readyz',
  summary:
    'Check that calls can be accepted and recorded, with the state of each dependency; needs no key, with which it names the servers',
  tags,
  responses: { 200: jsonAnswer(readinessSchema, 'Ready'), 503: jsonAnswer(readinessSchema, 'Not ready') },
});

/** Dependencies of the probes. */
export interface HealthRoutesDeps {
  /** Rejects if the database cannot be written. Called at most once a second. */
  checkDatabase: () => Promise<void>;
  /** Rejects if audit records cannot be written, or wait for the journal; the message says why. Called at most once a second. */
  checkJournal: () => Promise<void>;
  /** The state of what search depends on, by name. */
  search: () => Record<string, { state: string }>;
  servers: () => readonly ServerStatus[];
  /** The memory of the process. */
  memory: Pick<MemoryWatch, 'isOver' | 'limitBytes'>;
  isDraining: () => boolean;
}

/** The probes, and what names servers to a caller: those that the caller may see. */
export interface ProbeRoutesDeps {
  health: HealthRoutesDeps;
  access: AccessService;
  servers: Pick<ServerService, 'list'>;
}

/**
 * The two probes: live, ready, and ready while servers are still connecting. An unavailable upstream server or Chroma is listed but does not make the hub unready: other tools work, and
 * search continues by words. Without a key servers are only counted, since anyone who reaches the hub may send a probe.
 */
export function healthRoutes({ health, access, servers }: ProbeRoutesDeps): OpenAPIHono<HubEnv> {
  const router = createRouter();
  const storageChecked = atMostOnceASecond(async () => ({
    database: await stateOf(health.checkDatabase),
    journal: await stateOf(health.checkJournal),
  }));
  router.openapi(liveRoute, (c) => c.json({ status: 'alive' as const }, 200));
  router.openapi(readyRoute, async (c) => {
    const storage = await storageChecked();
    const memory = stateOfMemory(health.memory);
    const isDown = [...Object.values(storage), memory].some(({ state }) => state === 'down');
    const caller = await optionalCaller({ access }, c);
    const named = caller === undefined ? [] : await servers.list(caller).catch(() => []);
    const dependencies: Record<string, { state: string; [detail: string]: string | number }> = {
      ...storage,
      memory,
      ...health.search(),
      ...(caller === undefined ? { servers: summary(health.servers()) } : {}),
      ...Object.fromEntries(
        named.map(({ serverId, state, toolsCount }) => [`server:${serverId}`, { state, toolsCount }]),
      ),
    };
    if (health.isDraining()) return c.json({ status: 'draining' as const, dependencies }, 503);
    if (isDown) return c.json({ status: 'not ready' as const, dependencies }, 503);
    return c.json({ status: 'ready' as const, ...connectingMessage(summary(health.servers())), dependencies }, 200);
  });
  return router;
}

type DependencyState = Record<string, string> & { state: 'up' | 'down' };

function stateOfMemory({ isOver, limitBytes }: HealthRoutesDeps['memory']): DependencyState {
  if (!isOver()) return { state: 'up' };
  return { state: 'down', reason: `the hub holds more than ${limitBytes} bytes of memory; it serves operators only` };
}

type ServersSummary = { state: 'up' | 'connecting' | 'degraded'; connected: number; total: number };

/** The servers without their names. Those that are disconnected on purpose do not count. */
function summary(statuses: readonly ServerStatus[]): ServersSummary {
  const wanted = statuses.filter(({ state }) => state !== 'disconnected');
  const connected = wanted.filter(({ state }) => state === 'connected').length;
  const isConnecting = wanted.some(({ state }) => state === 'connecting');
  const state = connected === wanted.length ? 'up' : isConnecting ? 'connecting' : 'degraded';
  return { state, connected, total: wanted.length };
}

/** The message of a hub that is ready, but has tools of some servers only. */
function connectingMessage({ state, connected, total }: ServersSummary): { message?: string } {
  return state === 'connecting' ? { message: `servers still connecting (${connected} of ${total})` } : {};
}

/** The state of a dependency, with the public reason where it is down. */
async function stateOf(check: () => Promise<void>): Promise<DependencyState> {
  try {
    await check();
    return { state: 'up' };
  } catch (error) {
    return { state: 'down', ...(error instanceof HestiaError && { reason: error.message }) };
  }
}

/** Caches the result of a check for a second, since each check is a write and probes need no key. */
function atMostOnceASecond<T>(check: () => Promise<T>): () => Promise<T> {
  let last: { at: number; answer: Promise<T> } | undefined;
  return () => {
    if (last === undefined || performance.now() - last.at > 1000) last = { at: performance.now(), answer: check() };
    return last.answer;
  };
}
