/**
 * The hub with a probe in its process: `GET /` on the port of the first argument answers the stalls of the event loop since the
 * last answer, and the memory after garbage collection (with `--expose-gc`); `GET /stalls` collects nothing.
 */
import { createServer } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { watchLoopStalls } from './loop-stalls.ts';

const port = Number(process.argv[2]);
const bytesPerMib = 1_048_576;
const watch = watchLoopStalls();

/** With `mayCollect`, the garbage is collected first, which holds the loop. */
async function probe(mayCollect: boolean): Promise<Record<string, unknown>> {
  // A stall is only known once the timer of the watch has run again.
  await delay(20);
  const report = watch.report();
  if (mayCollect) globalThis.gc?.();
  const { rss, heapUsed, external } = process.memoryUsage();
  const usedAfterCollectionMib = watch.usedAfterCollection() / bytesPerMib;
  // The garbage collection was the probe's own.
  watch.reset();
  const memory = { residentMib: rss / bytesPerMib, usedMib: (heapUsed + external) / bytesPerMib };
  return { ...report, ...memory, usedAfterCollectionMib };
}

createServer((request, response) => {
  void probe(request.url !== '/stalls').then((answer) => response.end(JSON.stringify(answer)));
}).listen(port, '127.0.0.1');

await import(new URL('../../../src/main.ts', import.meta.url).href);
