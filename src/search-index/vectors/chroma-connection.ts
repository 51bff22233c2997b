/**
 * The connection to a Chroma server: health checks and requests with a timeout.
 * A probe checks in the background whether the server is available, so that requests to an unavailable one fail at once.
 */
import { ChromaClient, ChromaConnectionError } from 'chromadb';
import { createRepeatedWork } from '../../flow/repeated-work.ts';
import { resultWithin, timedOut, unlessAborted } from '../../flow/time-limit.ts';
import type { Log } from '../../telemetry/log.ts';
import { VectorStoreError } from './store.ts';

/** The state of Chroma. `version` is the server's version when it was last available. */
export interface ChromaStatus {
  state: 'connecting' | 'up' | 'down';
  version: string | undefined;
}

/** The connection. Disposing stops the probe and does not wait for requests in progress. */
export interface ChromaConnection extends Disposable {
  status(): ChromaStatus;
  /** Starts the probe; returns at once. */
  start(): void;
  /**
   * Runs `work` against the server, which must be available.
   * @throws VectorStoreError at once if the server is unavailable, and after `timeoutMs`; what `work` throws
   */
  call<T>(timeoutMs: number, work: (client: ChromaClient) => Promise<T>): Promise<T>;
  /** Calls `listener` each time the server becomes available. */
  onUp(listener: () => void): void;
}

/** Dependencies of the connection. */
export interface ChromaConnectionDeps {
  /** Scheme, host and port. */
  url: string;
  log: Log;
}

/** The intervals of probes while the server is available, and while it is not. */
const probeIntervalMs = 5_000;
const reconnectIntervalMs = 1_000;
const probeTimeoutMs = 3_000;

/** Creates the connection. Nothing is sent before {@link ChromaConnection.start}. */
export function createChromaConnection({ url, log }: ChromaConnectionDeps): ChromaConnection {
  const client = createClient(url);
  const health = createHealth(url, log);
  const closing = new AbortController();
  const probes = createRepeatedWork({
    run: () =>
      within(probeTimeoutMs, closing.signal, client.version()).then(health.setUp, (error: unknown) => {
        if (!closing.signal.aborted) health.setDown(error);
      }),
    intervalMs: () => (health.status().state === 'up' ? probeIntervalMs : reconnectIntervalMs),
  });

  return {
    status: health.status,
    start: probes.runNow,
    onUp: health.onUp,
    async call(timeoutMs, work) {
      if (health.status().state !== 'up') throw new VectorStoreError('Chroma is unavailable');
      try {
        return await within(timeoutMs, closing.signal, work(client));
      } catch (error) {
        if (error instanceof ChromaConnectionError) health.setDown(error);
        // A single timeout or failure does not mean that the server is unavailable, so it is probed.
        probes.runIn(error instanceof ChromaConnectionError ? reconnectIntervalMs : 0);
        throw error;
      }
    },
    [Symbol.dispose]: () => {
      closing.abort(new VectorStoreError('the hub is shutting down'));
      probes[Symbol.dispose]();
    },
  };
}

/** The state of the server. Each change is logged once. */
function createHealth(url: string, log: Log) {
  const listeners: (() => void)[] = [];
  let status: ChromaStatus = { state: 'connecting', version: undefined };
  return {
    status: () => status,
    onUp: (listener: () => void) => {
      listeners.push(listener);
    },
    setDown(error: unknown): void {
      if (status.state === 'down') return;
      status = { ...status, state: 'down' };
      log.warn('Chroma is unavailable: searches use the index in process, and writes wait', {
        address: url,
        error_type: error instanceof Error ? error.name : typeof error,
      });
    },
    setUp(version: string): void {
      const before = status.state;
      status = { state: 'up', version };
      if (before === 'up') return;
      log.info(before === 'down' ? 'Chroma is available again' : 'Chroma is connected', { address: url, version });
      for (const listener of listeners) listener();
    },
  };
}

function createClient(url: string): ChromaClient {
  const { protocol, hostname, port } = new URL(url);
  const ssl = protocol === 'https:';
  return new ChromaClient({ host: hostname, port: port === '' ? (ssl ? 443 : 80) : Number(port), ssl });
}

/** Chroma's client has no timeouts: a result after `timeoutMs`, or after the connection was disposed, is discarded. */
async function within<T>(timeoutMs: number, closing: AbortSignal, work: Promise<T>): Promise<T> {
  const result = await resultWithin(timeoutMs, unlessAborted(work, closing));
  if (result === timedOut) throw new VectorStoreError('Chroma did not answer in time');
  return result;
}
