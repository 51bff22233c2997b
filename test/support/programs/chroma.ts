/** Starts a real Chroma server on a free port. Its data survives a restart. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ChromaClient } from 'chromadb';
import { freePort } from '../hub/hub-process.ts';
import { chromaProgram } from './chroma-program.ts';
import { type Program, startProgram } from './program.ts';

/** A running Chroma server. Disposing it stops it and removes its data. */
export interface Chroma extends AsyncDisposable {
  readonly url: string;
  /** A client that accesses the server directly, without the hub. */
  readonly client: ChromaClient;
  /** The number of items in all collections of a kind. */
  count(kind: 'tools' | 'outcomes'): Promise<number>;
  /** Kills it. */
  stop(): Promise<void>;
  /** Suspends it: it accepts connections and does not respond. */
  freeze(): void;
  thaw(): void;
  /** Restarts it after a stop, with its data or, with `empty`, without. */
  start(options?: { empty: boolean }): Promise<void>;
}

/** Starts it and waits until it answers. */
export async function startChroma(): Promise<Chroma> {
  const folder = await mkdtemp(join(tmpdir(), 'hestia-chroma-'));
  const data = join(folder, 'data');
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const run = (): Promise<Program> =>
    startProgram({
      command: chromaProgram(),
      args: ['run', '--path', data, '--host', '127.0.0.1', '--port', `${port}`],
      readyUrl: `${url}/api/v2/heartbeat`,
    });
  let program = await run();
  const client = new ChromaClient({ host: '127.0.0.1', port, ssl: false });
  return {
    url,
    client,
    count: async (kind) => {
      const collections = await client.listCollections();
      const counts = collections.filter(({ name }) => name.startsWith(`hestia-${kind}-`)).map((each) => each.count());
      return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0);
    },
    stop: () => program.stop('SIGKILL'),
    freeze: () => program.child.kill('SIGSTOP'),
    thaw: () => program.child.kill('SIGCONT'),
    start: async ({ empty } = { empty: false }) => {
      if (empty) await rm(data, { recursive: true, force: true });
      program = await run();
    },
    [Symbol.asyncDispose]: async () => {
      await program.stop('SIGKILL');
      await rm(folder, { recursive: true, force: true });
    },
  };
}
