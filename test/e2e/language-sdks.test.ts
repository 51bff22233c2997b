/**
 * Servers and clients on the SDKs of Python and Go, and servers from PyPI: connected, listed, called, with errors as without
 * the hub, and none left running.
 */
import { execFile, execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ListeningHub, startListeningHub, untilConnected } from '../support/hub/hub-listening.ts';
import { goProgram } from '../support/programs/go-program.ts';
import { pythonWithSdk } from '../support/programs/python-sdk.ts';
import { describeWith } from '../support/programs/requirements.ts';
import { waitFor } from '../support/wait-for.ts';

const clientFile = fileURLToPath(new URL('python-sdk/client.py', import.meta.url));
const serverFile = fileURLToPath(new URL('python-sdk/server.py', import.meta.url));

interface Command {
  command: string;
  args: string[];
}

/** The published server of PyPI with this name. */
const fromPypi = (name: string, ...args: string[]): Command => ({
  command: join(dirname(pythonWithSdk()), name),
  args,
});

const servers: Record<string, Command> = {
  'python-sdk': { command: pythonWithSdk(), args: [serverFile] },
  'go-sdk': { command: goProgram('go-sdk'), args: ['server'] },
  time: fromPypi('mcp-server-time', '--local-timezone', 'UTC'),
  git: fromPypi('mcp-server-git'),
  fetch: fromPypi('mcp-server-fetch', '--ignore-robots-txt', '--allow-private-ips'),
};

type Answer = { result?: Record<string, unknown>; error?: { code: number; message: string } };
type Request = { method: string; params?: Record<string, unknown> };
type SendRequests = (url: string, key: string, requests: Request[]) => Promise<{ answers: Answer[] }>;

async function runClient(command: string, args: string[]): Promise<{ protocolVersion: string; answers: Answer[] }> {
  const { stdout } = await promisify(execFile)(command, args, { timeout: 100_000 });
  return JSON.parse(stdout);
}

const clients: [string, string, SendRequests][] = [
  ['Python', 'legacy', (url, key, requests) => runPython('legacy', url, key, requests)],
  ['Python', 'auto', (url, key, requests) => runPython('auto', url, key, requests)],
  [
    'Go',
    'auto',
    (url, key, requests) => runClient(goProgram('go-sdk'), ['client', url, key, JSON.stringify(requests)]),
  ],
];

function runPython(mode: string, url: string, key: string, requests: Request[]) {
  return runClient(pythonWithSdk(), [clientFile, url, key, mode, JSON.stringify(requests)]);
}

/** Processes whose environment has this text. Linux only; elsewhere none is found. */
function processesWith(text: string): string[] {
  if (!existsSync('/proc/self/environ')) return [];
  const processes = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return processes.filter((id) => {
    try {
      return readFileSync(`/proc/${id}/environ`, 'utf8').includes(text);
    } catch {
      return false;
    }
  });
}

/** Calls a tool without the hub. */
async function callDirectly(name: string, call: { name: string; arguments: Record<string, unknown> }) {
  const server = servers[name];
  if (server === undefined) throw new Error(`no server ${name}`);
  const client = new Client({ name: 'direct', version: '1.0.0' });
  await client.connect(new StdioClientTransport({ ...server, stderr: 'ignore' }));
  const { content, isError = false } = await client.callTool(call);
  await client.close();
  return { content, isError };
}

describeWith(['python-sdk', 'go-sdk'], 'the SDKs of Python and Go', () => {
  const mark = randomUUID();
  let hub: ListeningHub;
  let folder = '';
  const page = createServer((request, response) => {
    response.writeHead(request.url === '/page' ? 200 : 404, { 'content-type': 'text/plain' }).end('hearth');
  });
  const pageUrl = () => `http://127.0.0.1:${(page.address() as AddressInfo).port}`;

  /** Calls, and whether they fail. */
  const calls: [string, string, () => Record<string, unknown>, boolean][] = [
    ['python-sdk', 'greet', () => ({ name: 'Ada' }), false],
    ['python-sdk', 'fail', () => ({ name: 'Ada' }), true],
    ['go-sdk', 'greet', () => ({ name: 'Ada' }), false],
    ['go-sdk', 'fail', () => ({ name: 'Ada' }), true],
    ['time', 'convert_time', () => ({ source_timezone: 'Nowhere', time: '12:00', target_timezone: 'UTC' }), true],
    ['git', 'git_status', () => ({ repo_path: folder }), false],
    ['git', 'git_show', () => ({ repo_path: folder, revision: 'missing' }), true],
    ['fetch', 'fetch', () => ({ url: `${pageUrl()}/page` }), false],
    ['fetch', 'fetch', () => ({ url: `${pageUrl()}/missing` }), true],
  ];
  /** What the servers answer without the hub, in the order of the calls. */
  const direct: unknown[] = [];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'hestia-'));
    execFileSync('git', ['init', '--quiet', folder]);
    await new Promise<void>((resolve) => page.listen(0, '127.0.0.1', resolve));
    const marked = Object.entries(servers).map(([name, server]) => [name, { ...server, env: { MARK: mark } }]);
    hub = await startListeningHub({ file: { mcpServers: Object.fromEntries(marked) } });
    await untilConnected(hub, ...Object.keys(servers));
    for (const [name, tool, args, isError] of calls) {
      const answer = await callDirectly(name, { name: tool, arguments: args() });
      expect(answer.isError, `${name} ${tool} without the hub: ${JSON.stringify(answer)}`).toBe(isError);
      direct.push(answer);
    }
  });
  afterAll(async () => {
    const runningCount = processesWith(mark).length;
    await hub[Symbol.asyncDispose]();
    await waitFor(() => expect(processesWith(mark)).toEqual([]));
    page.close();
    await rm(folder, { recursive: true });
    expect(runningCount).toBe(process.platform === 'linux' ? Object.keys(servers).length : 0);
  });

  test.each(clients)('serve a client (%s, %s) that calls them, with errors as without the hub', async (...client) => {
    const [, , send] = client;
    const requests = calls.map(([server_id, tool_name, args]) => {
      const call = { server_id, tool_name, arguments: args() };
      return { method: 'tools/call', params: { name: 'call_mcp_tool', arguments: call } };
    });
    const { answers } = await send(`${hub.url}/mcp`, hub.operator.secret, requests);
    const through = answers.map(({ result: { content, isError = false } = {} }) => ({ content, isError }));
    expect(through).toEqual(direct);
  });

  test.each(clients)('let a client (%s, %s) list tools, and call one without arguments', async (...client) => {
    const [, , send] = client;
    const call = { method: 'tools/call', params: { name: 'list_mcp_servers' } };
    const { answers } = await send(`${hub.url}/mcp`, hub.operator.secret, [{ method: 'tools/list' }, call]);
    expect(answers[0]?.result?.tools).toHaveLength(11);
    expect(answers[1]?.result?.structuredContent).toMatchObject({ servers: expect.any(Array) });
  });
});
