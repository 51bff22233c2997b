/** The published MCP servers as upstreams, over stdio and HTTP: all tools listed, and one of each kind called. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ServerConfiguration, stdioServerSchema } from '../../src/shapes/server.ts';
import type { UpstreamConnection } from '../../src/upstream/connection/contract.ts';
import { httpServer } from '../support/servers/support-server.ts';
import { callFailure, callTool, observeConnection, textOf } from '../support/servers/upstream-connection.ts';
import { waitFor } from '../support/wait-for.ts';

const packages = fileURLToPath(new URL('../../node_modules/@modelcontextprotocol', import.meta.url));

function published(name: string, args: string[], env: Record<string, string> = {}): ServerConfiguration {
  const file = join(packages, name, 'dist/index.js');
  return stdioServerSchema.parse({ command: process.execPath, args: [file, ...args], env });
}

let folder = '';
let everythingOverHttp: ChildProcess | undefined;
let everythingUrl = '';
const connections: UpstreamConnection[] = [];

async function connected(configuration: ServerConfiguration): Promise<UpstreamConnection> {
  const { connection } = observeConnection(configuration);
  connections.push(connection);
  await connection.connect();
  expect(connection.status()).toMatchObject({ state: 'connected', toolsRefusedCount: 0 });
  return connection;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port was assigned');
  return address.port;
}

beforeAll(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'hestia-')));
  await writeFile(join(folder, 'note.txt'), 'hearth');
  const port = await freePort();
  everythingUrl = `http://127.0.0.1:${port}/mcp`;
  everythingOverHttp = spawn(process.execPath, [join(packages, 'server-everything/dist/index.js'), 'streamableHttp'], {
    env: { PORT: String(port) },
    stdio: 'ignore',
  });
  await waitFor(async () => expect((await fetch(everythingUrl)).status).toBe(400), 25_000);
});

afterAll(async () => {
  await Promise.all(connections.map((connection) => connection[Symbol.asyncDispose]()));
  everythingOverHttp?.kill('SIGKILL');
  await rm(folder, { recursive: true });
});

const everythingTools = [
  'echo',
  'get-annotated-message',
  'get-env',
  'get-resource-links',
  'get-resource-reference',
  'get-structured-content',
  'get-sum',
  'get-tiny-image',
  'gzip-file-as-resource',
  'simulate-research-query',
  'toggle-simulated-logging',
  'toggle-subscriber-updates',
  'trigger-long-running-operation',
];

describe.each(['stdio', 'http'])('server-everything over %s', (transport) => {
  let connection: UpstreamConnection;
  beforeAll(async () => {
    connection = await connected(
      transport === 'stdio' ? published('server-everything', ['stdio']) : httpServer(everythingUrl),
    );
  });

  test('lists every tool', () => {
    expect(
      connection
        .tools()
        .map(({ toolName }) => toolName)
        .sort(),
    ).toEqual(everythingTools);
    expect(connection.status().protocolVersion).toBe('2025-11-25');
  });

  test('returns text', async () => {
    expect(textOf(await callTool(connection, 'echo', { message: 'hearth' }))).toBe('Echo: hearth');
  });

  test('returns an image', async () => {
    const { content } = await callTool(connection, 'get-tiny-image');
    expect(content.find(({ type }) => type === 'image')).toMatchObject({
      mimeType: 'image/png',
      data: expect.stringMatching(/^iVBOR/),
    });
  });

  test('returns structured content', async () => {
    const { structuredContent } = await callTool(connection, 'get-structured-content', { location: 'New York' });
    expect(structuredContent).toEqual({ temperature: 33, conditions: 'Cloudy', humidity: 82 });
  });

  test('returns an embedded resource', async () => {
    const args = { resourceType: 'Text', resourceId: 1 };
    const { content } = await callTool(connection, 'get-resource-reference', args);
    expect(content.find(({ type }) => type === 'resource')).toMatchObject({
      resource: { uri: 'demo://resource/dynamic/text/1', mimeType: 'text/plain', text: expect.any(String) },
    });
  });

  test('returns resource links and annotations', async () => {
    const { content } = await callTool(connection, 'get-resource-links', { count: 2 });
    expect(content.filter(({ type }) => type === 'resource_link')).toHaveLength(2);
    const annotated = await callTool(connection, 'get-annotated-message', { messageType: 'error', includeImage: true });
    expect(annotated.content[0]).toMatchObject({ annotations: { priority: 1, audience: ['user', 'assistant'] } });
  });

  test('reports progress, and ends a long call that is cancelled', async () => {
    const controller = new AbortController();
    const seen: number[] = [];
    const long = callFailure(
      callTool(
        connection,
        'trigger-long-running-operation',
        { duration: 60, steps: 600 },
        {
          signal: controller.signal,
          onProgress: ({ progress, total }) => {
            expect(total).toBe(600);
            seen.push(progress);
          },
        },
      ),
    );
    await waitFor(() => expect(seen.length).toBeGreaterThanOrEqual(3));
    controller.abort(new Error('deadline'));
    expect((await long).errorType).toBe('cancelled');
    expect(seen.slice(0, 3)).toEqual([1, 2, 3]);
    expect(textOf(await callTool(connection, 'echo', { message: 'still there' }))).toBe('Echo: still there');
  });

  test('refuses invalid arguments in its result', async () => {
    expect(await callTool(connection, 'get-sum', { a: 'x' })).toMatchObject({ isError: true });
  });
});

describe('server-filesystem over stdio', () => {
  test('lists its tools and reads a file', async () => {
    const connection = await connected(published('server-filesystem', [folder]));
    expect(connection.tools()).toHaveLength(14);
    const result = await callTool(connection, 'read_text_file', { path: join(folder, 'note.txt') });
    expect(textOf(result)).toBe('hearth');
    expect(result.structuredContent).toEqual({ content: 'hearth' });
    expect(await callTool(connection, 'read_text_file', { path: '/etc/hostname' })).toMatchObject({ isError: true });
  });
});

describe('server-memory over stdio', () => {
  test('lists its tools and stores entities', async () => {
    const env = { MEMORY_FILE_PATH: join(folder, 'memory.jsonl') };
    const connection = await connected(published('server-memory', [], env));
    expect(connection.tools()).toHaveLength(9);
    const entities = [{ name: 'Hestia', entityType: 'goddess', observations: ['keeps the hearth'] }];
    await callTool(connection, 'create_entities', { entities });
    const { structuredContent } = await callTool(connection, 'read_graph');
    expect(structuredContent).toEqual({ entities, relations: [] });
  });
});
