/**
 * The official conformance suite against /mcp. Only the scenarios that need no tools, resources or prompts of the suite
 * apply to a hub, and those of the Skills extension. The suite has no way to send a key, so the test adds it on the way.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { serve } from '@hono/node-server';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { skillText, startTestHub, type TestHub } from '../support/hub/hub.ts';

const scenarios = [
  'server-initialize',
  'ping',
  'tools-list',
  'server-sse-multiple-streams',
  'dns-rebinding-protection',
];

const skillScenarios = ['sep-2640-skills-enumeration', 'sep-2640-skills-directory', 'sep-2640-skills-manifest'];

let hub: TestHub;
let server: ReturnType<typeof serve>;
let url: string;
beforeAll(async () => {
  hub = await startTestHub();
  for (const name of ['log-review', 'release-notes']) {
    const files = { 'references/guide.md': '# Guide', 'references/forms/form.txt': 'Form.' };
    await hub.operator.fetch(`/v1/skills/${name}`, { method: 'PUT', json: { document: skillText(name), files } });
  }
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

async function runScenario(scenario: string, options: readonly string[] = []): Promise<string> {
  const cli = 'node_modules/@modelcontextprotocol/conformance/dist/index.js';
  const args = [cli, 'server', '--url', url, '--scenario', scenario, ...options];
  const { stdout } = await promisify(execFile)(process.execPath, args).catch(
    (error: { stdout: string; stderr: string }) => {
      throw new Error(`${error.stdout}\n${error.stderr}`);
    },
  );
  return stdout;
}

const allPassed = /Passed: ([1-9]\d*)\/\1, 0 failed, 0 warnings/;

describe('the conformance suite', () => {
  test.each(scenarios)('passes %s', async (scenario) => {
    expect(await runScenario(scenario)).toMatch(allPassed);
  });

  test.each(skillScenarios)('passes %s of the Skills extension', async (scenario) => {
    expect(await runScenario(scenario)).toMatch(allPassed);
    // `--force`: an extension belongs to no revision of the protocol, and is run at this one too.
    expect(await runScenario(scenario, ['--spec-version', '2026-07-28', '--force'])).toMatch(allPassed);
  });
});
