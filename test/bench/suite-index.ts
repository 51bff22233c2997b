/** How long it takes until the tools of many servers are known, at a first start and at a further one, and what re-indexing holds up. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLexicalToolIndex } from '../../src/stores/tool-index-lexical.ts';
import { freePort, startHubProcess, untilServersConnected } from '../support/hub-process.ts';
import { startBenchScript } from './bench-process.ts';
import { type Finding, figureFinding } from './findings.ts';
import { manyIndexedTools, manyToolsServers } from './many-tools.ts';
import { quantile } from './paired.ts';
import type { Suite } from './suite.ts';
import { longestTurnMs } from './turn-watch.ts';

const perServer = 1000;

export const suite: Suite = {
  name: 'index',
  about: 'a start with 10,000 tools',
  async run({ isQuick, tell }) {
    const toolsCount = isQuick ? 1000 : 10_000;
    await using owned = new AsyncDisposableStack();
    const folder = owned.adopt(await mkdtemp(join(tmpdir(), 'hestia-bench-')), (path) => rm(path, { recursive: true }));
    const tools = owned.use(await startBenchScript('many-tools-server.ts'));
    const servers = manyToolsServers(tools.url, toolsCount, perServer);
    const findings: Finding[] = [];
    for (const start of ['a first start', 'a further start', 'one more start']) {
      tell(start);
      const startedAt = performance.now();
      await using hub = await startHubProcess({ file: { mcpServers: servers }, folder, port: await freePort() });
      await hub.ready();
      const readyMs = performance.now() - startedAt;
      await untilServersConnected(hub, ...Object.keys(servers));
      const knownMs = performance.now() - startedAt;
      const name = `${start} until ${toolsCount.toLocaleString('en')} tools are known`;
      findings.push(figureFinding(name, 's', knownMs / 1000, `ready after ${(readyMs / 1000).toFixed(2)} s`));
    }
    return [...findings, await reindexing(toolsCount, isQuick ? 1 : 9)];
  },
};

/** A server lists a thousand tools that have all changed, among the others: how long the event loop is held at the longest. */
async function reindexing(toolsCount: number, times: number): Promise<Finding> {
  const index = createLexicalToolIndex();
  for (let from = 0; from < toolsCount; from += perServer) {
    index.replaceServer(`many-${from}`, manyIndexedTools(from, perServer));
  }
  const stalls: number[] = [];
  for (let edition = 1; edition <= times; edition += 1) {
    const tools = manyIndexedTools(0, perServer, ` Edition ${edition}.`);
    const stall = await longestTurnMs(async () => {
      await index.prepare(tools);
      index.replaceServer('many-0', tools);
    });
    stalls.push(stall);
  }
  const name = `re-indexing 1,000 of ${toolsCount.toLocaleString('en')} tools, longest stall of the event loop`;
  return figureFinding(
    name,
    'ms',
    quantile(stalls, 0.5),
    `up to ${Math.max(...stalls).toFixed(1)} ms in ${times} times`,
  );
}
