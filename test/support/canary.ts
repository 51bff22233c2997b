/**
 * Canary secrets for tests that no content leaves the hub: one in each place where a caller, a skill or an upstream may
 * put a secret. Each is unique, so that a leaked one identifies its place.
 */
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { expect } from 'vitest';
import { skillText } from './hub/hub.ts';
import type { HubProcess } from './hub/hub-process.ts';
import { supportServer } from './servers/support-server.ts';

/** The secrets by place. The last two are in the errors of `faulty-server.ts`. */
export const canaries = {
  argument: 'canary-argument-5f2d9c',
  argumentName: 'canary-argument-name-5f2d9c',
  result: 'canary-result-5f2d9c',
  header: 'canary-header-5f2d9c',
  baggage: 'canary-baggage-5f2d9c',
  query: 'canary-query-5f2d9c',
  search: 'canary-search-5f2d9c',
  instructions: 'canary-instructions-5f2d9c',
  credential: 'canary-credential-5f2d9c',
  errorMessage: 'secret-token-1',
  errorData: 'secret-token-2',
};

/** The server that {@link placeCanaries} calls as `faulty`. Its tool `environment` returns the secret. */
export const canaryServer = { ...supportServer('faulty-server.ts'), env: { SECRET: canaries.result } };

/** Sends each canary to its place, over HTTP and MCP. Only the wrong key, an unknown parameter and the two error calls are refused. */
export async function placeCanaries(hub: HubProcess): Promise<void> {
  const args = { text: canaries.argument, [canaries.argumentName]: true };
  const headers = { 'x-own': canaries.header, cookie: canaries.header, baggage: `own=${canaries.baggage}` };
  const call = (tool: string) => hub.fetch(`/v1/tools/faulty/${tool}/call`, { json: { arguments: args }, headers });
  expect(await (await call('environment')).text()).toContain(canaries.result);
  expect((await call('rpc_error')).status).toBe(502);
  expect((await call('bad_shape')).status).toBe(502);
  await hub.fetch('/v1/tools/search', { json: { query: canaries.search } });
  expect((await hub.fetch(`/v1/skills?token=${canaries.query}`)).status).toBe(400);
  expect((await hub.fetch(`/openapi.json?token=${canaries.query}`)).status).toBe(200);
  await hub.fetch('/v1/skills', { headers: { authorization: `Bearer ${canaries.credential}` } });
  await hub.fetch('/v1/skills/hidden', {
    method: 'PUT',
    body: skillText('hidden', 'Hides.', canaries.instructions),
    headers: { 'content-type': 'text/markdown' },
  });
  await hub.fetch('/v1/skills/hidden/activate', { method: 'POST' });
  const answer = await hub.fetch('/v1/tools/hestia/skill_hidden/call', {
    json: { arguments: { arguments: canaries.argument } },
  });
  expect(await answer.text()).toContain(canaries.instructions);
  await callOverMcp(hub.url, hub.key(), args);
}

async function callOverMcp(url: string, key: string, args: Record<string, unknown>): Promise<void> {
  const client = new Client({ name: 'agent', version: '1.0.0' }, { versionNegotiation: { mode: 'auto' } });
  const requestInit = { headers: { authorization: `Bearer ${key}` } };
  await client.connect(new StreamableHTTPClientTransport(new URL(`${url}/mcp`), { requestInit }));
  const call = (tool: string) =>
    client.callTool({
      name: 'call_mcp_tool',
      arguments: { server_id: 'faulty', tool_name: tool, arguments: args },
      _meta: { baggage: `own=${canaries.baggage}` },
    });
  expect(JSON.stringify(await call('environment'))).toContain(canaries.result);
  expect(await call('rpc_error')).toMatchObject({
    isError: true,
    _meta: { 'hestia/error': { code: 'UPSTREAM_FAILED' } },
  });
  await client.close();
}

/** A value as JSON text to search. Big integers become strings. */
export const asText = (value: unknown): string =>
  JSON.stringify(value, (_key, item: unknown) => (typeof item === 'bigint' ? String(item) : item));

/** The places whose secret is in the received value, and `key` if an API key of the hub is. */
export function canaryNames(received: unknown, hub: HubProcess): string[] {
  const text = asText(received);
  return Object.entries({ ...canaries, key: hub.key() })
    .filter(([, secret]) => text.includes(secret))
    .map(([name]) => name);
}
