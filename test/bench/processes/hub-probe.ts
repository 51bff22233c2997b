/**
 * The hub with a probe in its process, which counts what a call does. The first argument is the probe's port: `POST /begin`
 * starts counting, `POST /end` stops and returns the counts; `?memory` counts allocation instead, which needs `--expose-gc`
 * and a young generation that is not collected meanwhile.
 */
import { createHook } from 'node:async_hooks';
import { createServer } from 'node:http';
import { Session } from 'node:inspector';
import { fileURLToPath } from 'node:url';

const sourceFolder = new URL('../../../src/', import.meta.url).href;
const mainFile = fileURLToPath(new URL('main.ts', sourceFolder));
const port = Number(process.argv[2]);

const session = new Session();
session.connect();
session.post('Profiler.enable');

let promises = 0;
const promiseHook = createHook({
  init: (_id, type) => {
    if (type === 'PROMISE') promises += 1;
  },
});
let heapBefore = 0;

function begin(isMemory: boolean): void {
  if (isMemory) {
    globalThis.gc?.();
    heapBefore = process.memoryUsage().heapUsed;
    return;
  }
  session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: false });
  promises = 0;
  promiseHook.enable();
}

/** Counts since {@link begin}: files and functions of `src/` that ran, promises created, bytes allocated. */
function end(isMemory: boolean): Record<string, number> {
  if (isMemory) return { bytes: process.memoryUsage().heapUsed - heapBefore };
  promiseHook.disable();
  const counts = { files: 0, functions: 0, promises };
  session.post('Profiler.takePreciseCoverage', (_error, { result }) => {
    for (const { url, functions } of result) {
      const called = functions.filter(({ ranges }) => (ranges[0]?.count ?? 0) > 0).length;
      if (!url.startsWith(sourceFolder) || called === 0) continue;
      counts.files += 1;
      counts.functions += called;
    }
  });
  session.post('Profiler.stopPreciseCoverage');
  return counts;
}

createServer((request, response) => {
  const isMemory = request.url?.includes('memory') === true;
  if (request.url?.startsWith('/begin')) {
    begin(isMemory);
    response.end('{}');
    return;
  }
  response.end(JSON.stringify(end(isMemory)));
}).listen(port, '127.0.0.1');

await import(mainFile);
