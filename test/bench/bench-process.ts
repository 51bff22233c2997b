/** Processes that benchmarks start besides the hub: a minimal server, a receiver of signals, gateways. */
import { fileURLToPath } from 'node:url';
import { freePort } from '../support/hub/hub-process.ts';
import { type Program, startProgram } from '../support/programs/program.ts';

/** A process that listens on a port. Disposing stops it. */
export interface BenchProcess extends AsyncDisposable {
  readonly url: string;
  readonly pid: number;
}

/** The path of a file in this folder. */
export const benchFile = (name: string) => fileURLToPath(new URL(`./${name}`, import.meta.url));

/**
 * Starts a command on a free port, which is passed to `args`, and waits until it answers with any status.
 * `stopSignal` is for one that must stop its own children: disposing waits until they have closed its output.
 */
export async function startBenchProcess(
  command: string,
  args: (port: number) => string[],
  {
    environment = {},
    path = '/',
    stopSignal = 'SIGKILL',
  }: { environment?: Record<string, string>; path?: string; stopSignal?: NodeJS.Signals } = {},
): Promise<BenchProcess> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const program: Program = await startProgram({
    command,
    args: args(port),
    environment,
    readyUrl: `${url}${path}`,
    isReady: () => true,
  });
  const { pid } = program.child;
  if (pid === undefined) throw new Error(`${command} did not start`);
  return { url, pid, [Symbol.asyncDispose]: () => program.stop(stopSignal) };
}

/** Starts a script of this folder with its port as the first argument. */
export function startBenchScript(file: string, ...more: string[]): Promise<BenchProcess> {
  return startBenchProcess(process.execPath, (port) => [benchFile(file), String(port), ...more]);
}
