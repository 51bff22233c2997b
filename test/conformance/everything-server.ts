/** Starts the conformance test server of the TypeScript SDK as a process. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** The running server. Disposing it ends it. */
export interface EverythingServer extends AsyncDisposable {
  readonly url: string;
}

/** Starts the server on a free port. */
export async function startEverythingServer(): Promise<EverythingServer> {
  const host = fileURLToPath(new URL('everything-server/host.ts', import.meta.url));
  const child = spawn(process.execPath, [host], { stdio: ['ignore', 'pipe', 'ignore'] });
  const [url] = await once(createInterface(child.stdout), 'line');
  // What it prints later is of no interest, but must be read.
  child.stdout.resume();
  return {
    url,
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL');
      await once(child, 'close');
    },
  };
}
