/** `/livez` and `/readyz`: for probes, without a key. Ready means that calls can be taken and put on record. */
import { Hono } from 'hono';
import type { ServerStatus } from '../shapes/server.ts';

/** What readiness looks at. */
export interface HealthRoutesDeps {
  /** Rejects where the database cannot be used. */
  checkDatabase: () => Promise<void>;
  servers: () => readonly ServerStatus[];
  isDraining: () => boolean;
}

/** The two routes. An upstream that is away is named, but does not make the hub unready: its other tools work. */
export function healthRoutes({ checkDatabase, servers, isDraining }: HealthRoutesDeps): Hono {
  const router = new Hono();
  router.get('/livez', (c) => c.json({ status: 'alive' }));
  router.get('/readyz', async (c) => {
    const database = await checkDatabase().then(
      () => 'up',
      () => 'down',
    );
    const ready = database === 'up' && !isDraining();
    const dependencies = {
      database: { state: database },
      toolIndex: { state: 'up', kind: 'in-process' },
      ...Object.fromEntries(
        servers().map(({ serverId, state, toolsCount }) => [`server:${serverId}`, { state, toolsCount }]),
      ),
    };
    return c.json(
      { status: ready ? 'ready' : isDraining() ? 'draining' : 'not ready', dependencies },
      ready ? 200 : 503,
    );
  });
  return router;
}
