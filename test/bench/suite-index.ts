/** How long it takes until the tools of many servers are known, at a first start and at a further one, and what re-indexing holds up. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, startHubProcess, untilServersConnected } from '../support/hub-process.ts';
import { startBenchScript } from './bench-process.ts';
import { type Finding, figureFinding } from './findings.ts';
import { manyToolsServers } from './many-tools.ts';
import type { Suite } from './suite.ts';

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
    return findings;
  },
};
