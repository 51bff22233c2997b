/**
 * Selects where vectors are stored: in this process, or in a Chroma server. It owns the connection to Chroma. When Chroma
 * becomes available or a collection is created, all writers resync.
 */
import { createVectorStore, type VectorKind, type VectorStore } from '../search-index/vectors/store.ts';
import type { VectorWriter } from '../search-index/vectors/writer.ts';
import type { Log } from '../telemetry/log.ts';
import type { VectorMetrics } from '../telemetry/vector-metrics.ts';

/** The state of a part of the hub, as the readiness endpoint shows it. */
export interface DependencyStatus {
  state: string;
  [detail: string]: string | number | undefined;
}

/** Vector stores in this process or in Chroma. */
export interface VectorStores extends Disposable {
  create(kind: VectorKind): VectorStore;
  /** Reports whether the stores can be queried now. */
  isReady(): boolean;
  /** Resyncs the writer whenever Chroma becomes available, and includes its backlog in the metrics. */
  addWriter(writer: VectorWriter): void;
  /** Starts to connect; returns at once. */
  start(): void;
  dependencies(): Record<string, DependencyStatus>;
}

/** Dependencies of the vector stores. */
export interface VectorStoresDeps {
  /** Undefined: vectors are stored in this process. */
  chromaUrl: string | undefined;
  /** The embedding model, whose vectors are never compared with those of another. */
  model: string;
  hubId: string;
  queryTimeoutMs: number;
  log: Log;
  metrics: VectorMetrics;
}

/** Creates the vector stores. Nothing connects or is written before `start`. */
export async function createVectorStores({ chromaUrl, ...deps }: VectorStoresDeps): Promise<VectorStores> {
  return chromaUrl === undefined ? createStoresInProcess() : createStoresInChroma(chromaUrl, deps);
}

async function createStoresInChroma(
  chromaUrl: string,
  { model, hubId, queryTimeoutMs, log, metrics }: Omit<VectorStoresDeps, 'chromaUrl'>,
): Promise<VectorStores> {
  // Only a hub with Chroma loads its client.
  const { createChromaConnection } = await import('../search-index/vectors/chroma-connection.ts');
  const { createChromaVectorStore } = await import('../search-index/vectors/store-chroma.ts');
  const connection = createChromaConnection({ url: chromaUrl, log });
  const writers: VectorWriter[] = [];
  const resync = () => {
    for (const writer of writers) writer.resync();
  };
  const isReady = () => connection.status().state === 'up';
  const backlog = () => writers.reduce((sum, writer) => sum + writer.backlog(), 0);
  connection.onUp(resync);
  metrics.observeChroma({ isUp: isReady, backlog });
  return {
    create: (kind) =>
      createChromaVectorStore({
        connection,
        kind,
        model,
        hubId,
        isShared: kind === 'outcomes',
        queryTimeoutMs,
        onCreated: resync,
        onCall: metrics.chromaOperation,
      }),
    isReady,
    addWriter: (writer) => writers.push(writer),
    start: connection.start,
    dependencies: () => ({
      toolIndex: { state: 'up', kind: 'chroma' },
      chroma: { ...connection.status(), backlog: backlog() },
    }),
    [Symbol.dispose]: connection[Symbol.dispose],
  };
}

/** Stores in this process. Vectors are computed from the start on, and not while the hub is built, which would take longer. */
function createStoresInProcess(): VectorStores {
  const writers: VectorWriter[] = [];
  let isStarted = false;
  return {
    create: createVectorStore,
    isReady: () => isStarted,
    addWriter: (writer) => writers.push(writer),
    start: () => {
      isStarted = true;
      for (const writer of writers) writer.resync();
    },
    dependencies: () => ({ toolIndex: { state: 'up', kind: 'in-process' } }),
    [Symbol.dispose]: () => undefined,
  };
}
