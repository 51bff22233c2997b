/**
 * The official conformance suite against /mcp. Only the scenarios that need no tools, resources or prompts of the
 * suite's own apply to a hub; the suite has no way to send a key, so the test adds it on the way.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { serve } from '@hono/node-server';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestHub, type TestHub } from '../support/hub/hub.ts';

const scenarios = [
  'server-initialize',
  'ping',
  'tools-list',
  'server-sse-multiple-streams',
  'dns-rebinding-protection',
];

let hub: TestHub;
let server: ReturnType<typeof serve>;
let url: string;
beforeAll(async () => {
  hub = await startTestHub();
  const withKey = (request: Request) => {
    const headers = new Headers(request.headers);
    headers.set('authorization', `Bearer ${hub.operator.secret}`);
    return hub.hub.fetch(new Request(request, { headers }));
  };
  url = await new Promise((resolve) => {
    server = serve({ fetch: withKey, hostname: '127.0.0.1', port: 0 }, ({ port }) =>
      resolve(`http://127.0.0.1:${port}/mcp`),
    );
  });
});
afterAll(async () => {
  server.close();
  await hub[Symbol.asyncDispose]();
});

describe('the conformance suite', () => {
  test.each(scenarios)('passes %s', async (scenario) => {
    const cli = 'node_modules/@modelcontextprotocol/conformance/dist/index.js';
    const run = promisify(execFile)(process.execPath, [cli, 'server', '--url', url, '--scenario', scenario]);
    const { stdout } = await run.catch((error: { stdout: string; stderr: string }) => {
      throw new Error(`${error.stdout}\n${error.stderr}`);
    });
    expect(stdout).toMatch(/Passed: (\d+)\/\1, 0 failed, 0 warnings/);
  });
});
