/**
 * The Chroma server: whether it is there, since when, and calls to it under a deadline. It is looked after by a probe, so
 * that nothing else has to wait to learn that it is away. Knows no collection by what it means.
 */
import { ChromaClient, ChromaConnectionError } from 'chromadb';
import type { Log } from '../../telemetry/log.ts';
import { VectorStoreError } from './store.ts';

/** How Chroma is. `version` is the server's own, of the last time it was there. */
export interface ChromaStatus {
  state: 'connecting' | 'up' | 'down';
  version: string | undefined;
}

/** The connection. Dispose it to stop the probe; calls under way are not waited for. */
export interface ChromaConnection extends Disposable {
  status(): ChromaStatus;
  /** Begins to look for the server; returns at once. */
  start(): void;
  /**
   * Runs `work` against the server, which must be there.
   * @throws VectorStoreError at once where the server is away, and after `timeoutMs`; what `work` throws of its own.
   */
  call<T>(timeoutMs: number, work: (client: ChromaClient) => Promise<T>): Promise<T>;
  /** Calls `listener` each time the server comes, or comes back. */
  onUp(listener: () => void): void;
}

/** What the connection is made of. */
export interface ChromaConnectionDeps {
  /** Scheme, host and port. */
  url: string;
  log: Log;
}

/** How often a server that is there, and one that is away, is asked whether it is there. */
const probeIntervalMs = 5_000;
const reconnectIntervalMs = 1_000;
const probeTimeoutMs = 3_000;

/** Makes the connection; nothing is sent before {@link ChromaConnection.start}. */
export function createChromaConnection({ url, log }: ChromaConnectionDeps): ChromaConnection {
  const client = createClient(url);
  const presence = createPresence(url, log);
  const end = new AbortController();
  let timer: NodeJS.Timeout | undefined;

  function probeIn(ms: number): void {
    clearTimeout(timer);
    if (!end.signal.aborted) timer = setTimeout(probe, ms).unref();
  }

  function probe(): void {
    within(probeTimeoutMs, end.signal, client.version())
      .then(presence.came, (error: unknown) => {
        if (!end.signal.aborted) presence.left(error);
      })
      .finally(() => probeIn(presence.status().state === 'up' ? probeIntervalMs : reconnectIntervalMs));
  }

  return {
    status: presence.status,
    start: probe,
    onUp: presence.onUp,
    async call(timeoutMs, work) {
      if (presence.status().state !== 'up') throw new VectorStoreError('Chroma is away');
      try {
        return await within(timeoutMs, end.signal, work(client));
      } catch (error) {
        if (error instanceof ChromaConnectionError) presence.left(error);
        // Too late, or failed: one request does not say that the server is away, so it is asked.
        probeIn(error instanceof ChromaConnectionError ? reconnectIntervalMs : 0);
        throw error;
      }
    },
    [Symbol.dispose]: () => {
      end.abort();
      clearTimeout(timer);
    },
  };
}

/** Whether the server is there; each change is told once. */
function createPresence(url: string, log: Log) {
  const listeners: (() => void)[] = [];
  let status: ChromaStatus = { state: 'connecting', version: undefined };
  return {
    status: () => status,
    onUp: (listener: () => void) => {
      listeners.push(listener);
    },
    left(error: unknown): void {
      if (status.state === 'down') return;
      status = { ...status, state: 'down' };
      log.warn('Chroma is away: search goes on in process, and what is written waits', {
        address: url,
        error_type: error instanceof Error ? error.name : typeof error,
      });
    },
    came(version: string): void {
      const before = status.state;
      status = { state: 'up', version };
      if (before === 'up') return;
      log.info(before === 'down' ? 'Chroma is back' : 'Chroma is connected', { address: url, version });
      for (const listener of listeners) listener();
    },
  };
}

function createClient(url: string): ChromaClient {
  const { protocol, hostname, port } = new URL(url);
  const ssl = protocol === 'https:';
  return new ChromaClient({ host: hostname, port: port === '' ? (ssl ? 443 : 80) : Number(port), ssl });
}

/** The client knows no deadline: what comes after it, or after the end, is let go. */
async function within<T>(timeoutMs: number, end: AbortSignal, work: Promise<T>): Promise<T> {
  const listening = new AbortController();
  const late = new Promise<never>((_resolve, reject) => {
    const timer = setTimeout(() => reject(new VectorStoreError('Chroma did not answer in time')), timeoutMs);
    listening.signal.addEventListener('abort', () => clearTimeout(timer));
    end.addEventListener('abort', () => reject(new VectorStoreError('the hub is ending')), listening);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    listening.abort();
  }
}
