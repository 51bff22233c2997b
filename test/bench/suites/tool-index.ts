/**
 * The tool index: starts with many tools, event loop stalls of re-indexing, and vector kernels.
 * The kernel in WebAssembly is compared with the one in plain TypeScript.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  createPlainKernel,
  createSimdKernel,
  createVectorMatrix,
  type VectorKernel,
} from '../../../src/search-index/vectors/matrix.ts';
import { createWordIndex } from '../../../src/search-index/words/word-index.ts';
import { freePort, startHubProcess, untilServersConnected } from '../../support/hub/hub-process.ts';
import { startBenchScript } from '../bench-process.ts';
import { longestStalls } from '../event-loop-stall.ts';
import { type Finding, figureFinding, ratioFinding } from '../findings.ts';
import { loadSlice } from '../load.ts';
import { manyIndexedTools, manyToolsServers } from '../many-tools.ts';
import { dimensions, randomVector } from '../many-vectors.ts';
import { quantile, type Subject } from '../paired.ts';
import type { Suite, SuiteContext } from '../suite.ts';

const perServer = 1000;

export const suite: Suite = {
  name: 'index',
  about: 'a start with 10,000 tools',
  async run({ isQuick, reportProgress, paired }) {
    const toolsCount = isQuick ? 1000 : 10_000;
    await using owned = new AsyncDisposableStack();
    const folder = owned.adopt(await mkdtemp(join(tmpdir(), 'hestia-bench-')), (path) => rm(path, { recursive: true }));
    const tools = owned.use(await startBenchScript('processes/many-tools-server.ts'));
    const servers = manyToolsServers(tools.url, toolsCount, perServer);
    const findings: Finding[] = [];
    for (const start of ['a first start', 'a further start', 'one more start']) {
      reportProgress(start);
      const startedAt = performance.now();
      await using hub = await startHubProcess({ file: { mcpServers: servers }, folder, port: await freePort() });
      await hub.ready();
      const readyMs = performance.now() - startedAt;
      await untilServersConnected(hub, ...Object.keys(servers));
      const knownMs = performance.now() - startedAt;
      const name = `${start} until ${toolsCount.toLocaleString('en')} tools are known`;
      findings.push(figureFinding(name, 's', knownMs / 1000, `ready after ${(readyMs / 1000).toFixed(2)} s`));
    }
    return [...findings, await reindexing(toolsCount, isQuick ? 1 : 9), await kernels(paired, toolsCount)];
  },
};

/** The longest stall of the event loop when a server's 1,000 tools have all changed. */
async function reindexing(toolsCount: number, times: number): Promise<Finding> {
  const index = createWordIndex();
  for (let from = 0; from < toolsCount; from += perServer) {
    index.replaceServer(`many-${from}`, manyIndexedTools(from, perServer));
  }
  const stalls: number[] = [];
  for (let edition = 1; edition <= times; edition += 1) {
    const tools = manyIndexedTools(0, perServer, ` Edition ${edition}.`);
    const { longestMs } = await longestStalls(() => index.replaceServerInSlices('many-0', tools));
    stalls.push(longestMs);
  }
  const name = `re-indexing 1,000 of ${toolsCount.toLocaleString('en')} tools, longest stall of the event loop`;
  return figureFinding(
    name,
    'ms',
    quantile(stalls, 0.5),
    `up to ${Math.max(...stalls).toFixed(1)} ms in ${times} times`,
  );
}

/** Compares one query of all vectors with each kernel. */
async function kernels(paired: SuiteContext['paired'], count: number): Promise<Finding> {
  const simd = createSimdKernel();
  if (simd === undefined) throw new Error('this Node has no WebAssembly with SIMD');
  const run = await paired('kernels', [
    kernelSubject('plain', createPlainKernel(), count),
    kernelSubject('WebAssembly', simd, count),
  ]);
  const name = `${count.toLocaleString('en')} vectors by WebAssembly against plain, p50`;
  return ratioFinding(run, { name, measure: 'p50', subject: 'WebAssembly' });
}

function kernelSubject(name: string, kernel: VectorKernel, count: number): Subject {
  const matrix = createVectorMatrix(dimensions, kernel);
  for (let row = 0; row < count; row += 1) matrix.add(Float32Array.from(randomVector()));
  const query = Float32Array.from(randomVector());
  const call = async () => {
    matrix.products(query);
  };
  return { name, slice: (durationMs) => loadSlice(call, { durationMs, inFlight: 1, pid: process.pid }) };
}
