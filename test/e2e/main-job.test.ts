/** The main job of the hub as a real process, with real MCP servers from npm over stdio and Streamable HTTP. */
import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { exportedRecords } from '../support/audit-export.ts';
import { json } from '../support/hub/hub.ts';
import { freePort, type HubProcess, startHubProcess, untilServersConnected } from '../support/hub/hub-process.ts';
import { realServer } from '../support/servers/real-server.ts';
import {
  copySkillFixtures,
  type SkillFixtures,
  shippedSkillsDirectory,
  skillNamesIn,
} from '../support/skill-fixtures.ts';

let hub: HubProcess;
let files: string;
let skillFixtures: SkillFixtures;
let skillNames: string[];
let httpUpstream: ReturnType<typeof spawn>;
beforeAll(async () => {
  skillFixtures = await copySkillFixtures();
  const { HESTIA_EVAL_DIR } = process.env;
  const skillDirectories = [skillFixtures.directory, shippedSkillsDirectory];
  if (HESTIA_EVAL_DIR !== undefined) skillDirectories.push(resolve(HESTIA_EVAL_DIR, 'skills'));
  skillNames = (await Promise.all(skillDirectories.map(skillNamesIn))).flat().sort();
  files = await mkdtemp(join(tmpdir(), 'hestia-files-'));
  await writeFile(join(files, 'note.txt'), 'a note');
  const port = await freePort();
  httpUpstream = spawn(
    process.execPath,
    ['node_modules/@modelcontextprotocol/server-everything/dist/index.js', 'streamableHttp'],
    {
      env: { PATH: process.env.PATH, PORT: String(port) },
      stdio: 'ignore',
    },
  );
  hub = await startHubProcess({
    file: {
      mcpServers: {
        everything: realServer('everything', ['stdio']),
        files: realServer('filesystem', [files]),
        memory: realServer('memory', [], { MEMORY_FILE_PATH: join(files, 'memory.json') }),
        remote: { url: `http://127.0.0.1:${port}/mcp` },
      },
      limits: { reconnectDelayMs: 50 },
      skills: { directories: skillDirectories },
    },
  });
  await hub.ready();
  await untilServersConnected(hub, 'everything', 'files', 'memory', 'remote');
});
afterAll(async () => {
  await hub[Symbol.asyncDispose]();
  await skillFixtures[Symbol.asyncDispose]();
  httpUpstream.kill('SIGKILL');
  await rm(files, { recursive: true });
});

type Found = { serverId: string; toolName: string };
const search = async (query: string, limit = 10, source?: 'upstream'): Promise<Found[]> =>
  (await json(hub.fetch('/v1/tools/search', { json: { query, limit, source } }))).results;
const call = (server: string, tool: string, args: object) =>
  json(hub.fetch(`/v1/tools/${server}/${tool}/call`, { json: { arguments: args } }));

const calls: [server: string, tool: string, args: object, type: string][] = [
  ['everything', 'echo', { message: 'x' }, 'text'],
  ['everything', 'get-sum', { a: 1, b: 2 }, 'text'],
  ['everything', 'get-tiny-image', {}, 'image'],
  ['everything', 'get-structured-content', { location: 'Chicago' }, 'text'],
  ['everything', 'get-resource-reference', { resourceType: 'Text', resourceId: 1 }, 'resource'],
  ['everything', 'get-resource-links', { count: 2 }, 'resource_link'],
  ['everything', 'get-annotated-message', { messageType: 'error' }, 'text'],
  ['remote', 'echo', { message: 'x' }, 'text'],
  ['remote', 'get-tiny-image', {}, 'image'],
  ['memory', 'create_entities', { entities: [{ name: 'a', entityType: 'b', observations: [] }] }, 'text'],
  ['memory', 'read_graph', {}, 'text'],
  ['files', 'list_allowed_directories', {}, 'text'],
];

describe('the servers', () => {
  test('list their tools, and each tool is found by its name and can be inspected', async () => {
    const { items } = await json(hub.fetch('/v1/servers'));
    const counts = Object.fromEntries(
      items.map((item: { serverId: string; toolsCount: number }) => [item.serverId, item.toolsCount]),
    );
    expect(Object.values(counts).every((count) => Number(count) >= 9)).toBe(true);
    expect(counts.remote).toBe(counts.everything);
    const names = await toolNames();
    expect(names.length).toBe(items.reduce((sum: number, item: { toolsCount: number }) => sum + item.toolsCount, 0));
    for (const { serverId, toolName } of names) {
      const found = await search(toolName, 5);
      expect(found.map((result) => `${result.serverId} ${result.toolName}`)).toContain(`${serverId} ${toolName}`);
      const tool = await json(hub.fetch(`/v1/tools/${serverId}/${toolName}`));
      expect(tool).toMatchObject({ serverId, toolName, source: 'upstream', inputSchema: { type: 'object' } });
    }
  });

  test.each(calls)('%s answers %s', async (server, tool, args, type) => {
    const answer = await call(server, tool, args);
    expect(answer).toMatchObject({ outcome: 'success', result: { isError: false } });
    expect(answer.result.content.map((block: { type: string }) => block.type)).toContain(type);
  });

  test('have a tool that is found by a described need and then called', async () => {
    const [best] = await search('read the text of a file');
    expect(best).toMatchObject({ serverId: 'files', toolName: 'read_text_file' });
    const answer = await call('files', 'read_text_file', { path: join(files, 'note.txt') });
    expect(answer.result.content[0].text).toBe('a note');
  });

  test('refuse a call with their own result, and the outcome is an error', async () => {
    const answer = await call('files', 'read_text_file', { path: '/etc/passwd' });
    expect(answer).toMatchObject({ outcome: 'error', result: { isError: true } });
  });
});

describe('the skills of the watched directories', () => {
  test('are all published and activated, none refused, and callable as tools', async () => {
    expect(skillNames.length).toBeGreaterThan(skillFixtures.names.length);
    const { items } = await json(hub.fetch('/v1/skills?limit=200'));
    expect(items.map((item: { name: string }) => item.name)).toEqual(skillNames);
    for (const name of skillNames) {
      const { activation } = await json(hub.fetch(`/v1/skills/${name}/activate`, { method: 'POST' }));
      expect(activation).toMatchObject({ registered: true, toolName: `skill_${name.replaceAll('-', '_')}` });
      const answer = await call('hestia', activation.toolName, {});
      expect(answer).toMatchObject({ outcome: 'success', result: { structuredContent: { skill_name: name } } });
      for (const file of answer.result.structuredContent.files.slice(0, 2)) {
        expect((await call('hestia', activation.toolName, { file: file.path })).outcome).toBe('success');
      }
    }
  });
});

describe('the calls and activations', () => {
  test('are counted by tool', async () => {
    const { items } = await json(hub.fetch('/v1/tools/stats'));
    for (const [server, tool] of calls) {
      const found = items.find((item: Found) => item.serverId === server && item.toolName === tool);
      expect(found, `${server} ${tool}`).toMatchObject({
        calls: 1,
        outcomes: { success: 1, error: 0, timeout: 0, abandoned: 0 },
      });
    }
    const read = items.find((item: Found) => item.toolName === 'read_text_file');
    expect(read).toMatchObject({ calls: 2, outcomes: { success: 1, error: 1 } });
  });

  test('are followed by a successful cleanup, and the audit trail verifies', async () => {
    expect(await json(hub.fetch('/v1/scheduler/run', { method: 'POST' }))).toMatchObject({ failedParts: [] });
    expect(await json(hub.fetch('/v1/audit/verify'))).toMatchObject({ intact: true });
  });

  test('are exported as they are listed, record by record', async () => {
    const listed = await auditRecords();
    expect(await exportedRecords(hub)).toEqual(listed);
    const named = (event: string) => listed.filter((record) => record.event === event);
    expect(named('TOOL_OUTCOME').length).toBeGreaterThan(calls.length);
    expect(named('SKILL_ACTIVATION_SUCCESS')).toHaveLength(skillNames.length);
    expect(named('SCHEDULER_CLEANUP_SUCCESS')).toHaveLength(1);
  });
});

/** All records of the audit trail, read page by page. */
async function auditRecords(): Promise<Record<string, unknown>[]> {
  const records: Record<string, unknown>[] = [];
  let cursor: string | undefined;
  do {
    const query = new URLSearchParams({ limit: '10', ...(cursor !== undefined && { cursor }) });
    const page = await json(hub.fetch(`/v1/audit/events?${query}`));
    records.push(...page.items);
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  return records;
}

/** Every upstream tool, found by searching, as an agent would. */
async function toolNames(): Promise<Found[]> {
  const found = new Map<string, Found>();
  const words =
    'echo get tool file directory read write search list create delete add open graph resource toggle trigger simulate gzip move edit info';
  for (const query of [words, ...words.split(' ')]) {
    for (const result of await search(query, 50, 'upstream')) {
      if (result.serverId !== 'hestia') found.set(`${result.serverId} ${result.toolName}`, result);
    }
  }
  return [...found.values()];
}
