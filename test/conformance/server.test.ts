/**
 * The official conformance suite against the endpoints of a hub that has the conformance test server of the TypeScript SDK
 * behind it, and against that server alone as the control. The suite has no way to send a key: it is added on the way.
 */
import { serve } from '@hono/node-server';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { skillText, startTestHub, type TestHub } from '../support/hub/hub.ts';
import { untilConnected } from '../support/hub/hub-listening.ts';
import { type EverythingServer, startEverythingServer } from './everything-server.ts';
import { expectAllButListed, listedExceptions, revisions, serverResult, serverResults } from './suite.ts';

let everything: EverythingServer;
let hub: TestHub;
let server: ReturnType<typeof serve>;
let url = '';
beforeAll(async () => {
  everything = await startEverythingServer();
  hub = await startTestHub({ file: { mcpServers: { everything: { url: everything.url } } } });
  await untilConnected(hub, 'everything');
  const withKey = (request: Request) => {
    const headers = new Headers(request.headers);
    headers.set('authorization', `Bearer ${hub.operator.secret}`);
    return hub.hub.fetch(new Request(request, { headers }));
  };
  url = await new Promise((resolve) => {
    server = serve({ fetch: withKey, hostname: '127.0.0.1', port: 0 }, ({ port }) =>
      resolve(`http://127.0.0.1:${port}`),
    );
  });
});
afterAll(async () => {
  server.close();
  await hub[Symbol.asyncDispose]();
  await everything[Symbol.asyncDispose]();
});

describe.each(revisions)('of the scenarios that %s requires of a server', (revision) => {
  test('the conformance test server passes all but those that are listed for all targets', async () => {
    expectAllButListed(await serverResults(everything.url, revision), listedExceptions('control', revision));
  });

  test('/mcp/{server} passes all but those that are listed', async () => {
    const results = await serverResults(`${url}/mcp/everything`, revision);
    expectAllButListed(results, listedExceptions('/mcp/{server}', revision));
  });

  test('/mcp passes all but those that are listed', async () => {
    expectAllButListed(await serverResults(`${url}/mcp`, revision), listedExceptions('/mcp', revision));
  });
});

describe('of the scenarios of the Skills extension', () => {
  test.each(['sep-2640-skills-enumeration', 'sep-2640-skills-directory', 'sep-2640-skills-manifest'])(
    '/mcp passes %s',
    async (scenario) => {
      for (const name of ['log-review', 'release-notes']) {
        const files = { 'references/guide.md': '# Guide', 'references/forms/form.txt': 'Form.' };
        await hub.operator.fetch(`/v1/skills/${name}`, { method: 'PUT', json: { document: skillText(name), files } });
      }
      expectAllButListed(await serverResult(`${url}/mcp`, scenario), []);
      // `--force`: an extension belongs to no revision of the protocol, and is run at this one too.
      const options = ['--spec-version', '2026-07-28', '--force'];
      expectAllButListed(await serverResult(`${url}/mcp`, scenario, options), []);
    },
  );
});
