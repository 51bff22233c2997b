/**
 * The composition root: builds the hub from its configuration, layer by layer. Disposing the hub stops its parts in the
 * reverse order of their dependencies.
 */
import type { AccessService } from '../domain/access-service.ts';
import type { createApp } from '../http/app.ts';
import { createDoors } from './doors.ts';
import { createFoundation, type Foundation } from './foundation.ts';
import type { HubDeps } from './hub-deps.ts';
import { observeHub } from './hub-gauges.ts';
import { createServices, type Services } from './services.ts';
import { createTools, type Tools } from './tools.ts';

/** The running hub. */
export interface Hub extends AsyncDisposable {
  /** Handles an HTTP request; the caller provides the server. */
  fetch: (request: Request, bindings?: object) => Response | Promise<Response>;
  app: ReturnType<typeof createApp>;
  access: AccessService;
  /** Restores active skills, connects upstream servers in the background, watches skill folders and starts the scheduler. */
  start(): Promise<void>;
  /** Applies what has changed among the servers of the configuration file. Never throws. */
  reload(): Promise<void>;
  /** Refuses new calls and waits for running ones, at most `limits.drainMs`. */
  drain(): Promise<void>;
}

/**
 * Builds the hub; nothing runs before {@link Hub.start}.
 * @throws DatabaseOpenError; JournalOpenError; AuditKeyError; Error with one line where an embedding model is not installed
 */
export async function createHub(deps: HubDeps): Promise<Hub> {
  const foundation = await createFoundation(deps);
  const tools = await createTools(deps, foundation);
  const services = await createServices(deps, foundation, tools);
  const doors = createDoors(deps, foundation, tools, services);
  const watching = new DisposableStack();
  observeHub({
    metrics: foundation.metrics,
    telemetry: deps.telemetry,
    trail: foundation.trail,
    checkpointer: foundation.audit.checkpointer,
    views: foundation.audit.views,
    pool: tools.pool,
    schedulerService: services.schedulerService,
    toolCall: services.toolCall,
    isEnding: doors.isDraining,
  });
  return {
    app: doors.app,
    access: foundation.access,
    fetch: doors.app.fetch,
    start: async () => {
      await start(deps, foundation, tools, services);
      const { editing } = services;
      // A signal may have disposed the hub while it started.
      if (editing !== undefined && !watching.disposed)
        watching.use(editing.file.watch(() => void editing.registry.reload()));
    },
    reload: async () => await services.editing?.registry.reload(),
    drain: doors.drain,
    [Symbol.asyncDispose]: async () => {
      watching.dispose();
      services.searchLearning.stop();
      await services.schedule.stop();
      await tools.searchIndex[Symbol.asyncDispose]();
      const offersClosed = tools.offerCatalogue[Symbol.asyncDispose]();
      doors.sse.close();
      tools.logins[Symbol.dispose]();
      await Promise.allSettled([
        doors.closeMcp(),
        services.skillSync[Symbol.asyncDispose](),
        tools.pool[Symbol.asyncDispose](),
        offersClosed,
      ]);
      await closeFoundation(foundation);
    },
  };
}

async function start(
  { config, version }: HubDeps,
  { audit, walCheckpointer }: Foundation,
  { searchIndex, pool }: Tools,
  { searchLearning, lifecycle, skillSync, configuredActivation, schedule }: Services,
): Promise<void> {
  await audit.start({ configuration: config, version });
  await searchLearning.rebuild();
  await lifecycle.restore();
  pool.start();
  await skillSync.start();
  await configuredActivation.start();
  await schedule.start();
  walCheckpointer.start();
  searchIndex.start();
}

async function closeFoundation({
  access,
  memory,
  audit,
  searchWriter,
  walCheckpointer,
  database,
  dataLock,
}: Foundation): Promise<void> {
  memory[Symbol.dispose]();
  await access.saveUses().catch(() => undefined);
  await searchWriter[Symbol.asyncDispose]();
  await audit.close();
  await walCheckpointer[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
  dataLock[Symbol.dispose]();
}
