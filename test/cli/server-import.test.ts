/** `hestia servers import`: what is taken over from the files of MCP clients, what is left out and why, and what is written. */
import { mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { loadConfig } from '../../src/config.ts';
import { type CommandRunOptions, runCommand } from '../support/programs/command-run.ts';

let folder: string;
let target: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hestia-import-'));
  target = join(folder, 'hestia.config.json');
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

/** Imports a file with this name and text. */
async function importFile(name: string, text: string, words: string[] = [], options: CommandRunOptions = {}) {
  const file = join(folder, name);
  await writeFile(file, text);
  const environment = { HOME: '/home/ada', HESTIA_CONFIG: target };
  return await runCommand(['servers', 'import', file, ...words], { environment, ...options });
}

const written = async () => JSON.parse(await readFile(target, 'utf8'));

const codex = `
model = "gpt-5"

[mcp_servers.context7]
command = "npx"
args = ["-y", "@upstash/context7-mcp"]
env_vars = ["LOCAL_TOKEN"]
startup_timeout_sec = 20
enabled_tools = ["search"]

[mcp_servers.context7.env]
KEY = "v"

[mcp_servers.figma]
url = "https://mcp.figma.com/mcp"
bearer_token_env_var = "FIGMA_TOKEN"
http_headers = { "X-Region" = "us" }
env_http_headers = { "X-Team" = "FIGMA_TEAM" }
enabled = false
`;

const goose = `
GOOSE_PROVIDER: anthropic
extensions:
  developer:
    type: builtin
    enabled: true
    name: developer
    timeout: 300
  github:
    type: stdio
    enabled: true
    cmd: npx
    args: ["-y", "server-github"]
    envs: { HOST: github.com }
    env_keys: [GITHUB_TOKEN]
    timeout: 300
  docs:
    enabled: false
    config: { type: streamable_http, uri: "https://example.org/mcp", headers: { X: y } }
`;

describe('an import', () => {
  test("writes Codex's TOML in the hub's form, and names the variables to set", async () => {
    const run = await importFile('config.toml', codex);
    expect(run.exitCode).toBe(0);
    expect(await written()).toEqual({
      mcpServers: {
        context7: {
          command: 'npx',
          args: ['-y', '@upstash/context7-mcp'],
          env: { KEY: 'v', LOCAL_TOKEN: '${LOCAL_TOKEN}' },
        },
        figma: {
          url: 'https://mcp.figma.com/mcp',
          headers: { 'X-Region': 'us', 'X-Team': '${FIGMA_TEAM}', Authorization: 'Bearer ${FIGMA_TOKEN}' },
          autoConnect: false,
        },
      },
    });
    const [report] = run.lines();
    expect(report).toMatchObject({
      taken: [
        {
          serverId: 'context7',
          transport: 'stdio',
          remarks: [
            expect.stringContaining('startup_timeout_sec: ignored'),
            expect.stringContaining('enabled_tools: ignored: the hub offers all tools'),
          ],
        },
        { serverId: 'figma', transport: 'http', remarks: [] },
      ],
      leftOut: [],
      variables: [{ name: 'FIGMA_TEAM' }, { name: 'FIGMA_TOKEN' }, { name: 'LOCAL_TOKEN' }],
      written: true,
    });
  });

  test("writes Goose's YAML in the hub's form, and leaves out what is part of Goose", async () => {
    const run = await importFile('config.yaml', goose);
    expect(await written()).toEqual({
      mcpServers: {
        github: {
          command: 'npx',
          args: ['-y', 'server-github'],
          env: { HOST: 'github.com', GITHUB_TOKEN: '${GITHUB_TOKEN}' },
        },
        docs: { type: 'http', url: 'https://example.org/mcp', headers: { X: 'y' }, autoConnect: false },
      },
    });
    expect(run.lines()[0]).toMatchObject({
      leftOut: [{ serverId: 'developer', reason: expect.stringContaining('is a part of the client') }],
    });
  });

  test('takes the servers of projects of ~/.claude.json, and no second one of a name', async () => {
    const content = {
      numStartups: 1,
      mcpServers: { a: { command: 'a' } },
      projects: {
        '/srv/x': { mcpServers: { a: { command: 'other' }, b: { command: '${workspaceFolder}/b' } } },
      },
    };
    const run = await importFile('claude.json', JSON.stringify(content));
    expect(await written()).toEqual({ mcpServers: { a: { command: 'a' }, b: { command: '/srv/x/b' } } });
    expect(run.lines()[0]).toMatchObject({
      leftOut: [{ serverId: 'a', reason: 'a server of this name is taken already (this one is for /srv/x)' }],
    });
  });

  test('keeps comments and all else in the file, and its servers unless --replace is given', async () => {
    await writeFile(
      target,
      '{\n  // mine\n  "mcpServers": { "a": { "command": "mine" } },\n  "limits": { "drainMs": 7 },\n}\n',
    );
    const pasted = '{ "mcpServers": { "a": { "command": "theirs" }, "@x/b": { "command": "b" } } }';
    const run = await importFile('mcp.json', pasted);
    expect(run.lines()[0]).toMatchObject({
      leftOut: [{ serverId: 'a', reason: expect.stringContaining('--replace') }],
    });
    const text = await readFile(target, 'utf8');
    expect(text).toContain('// mine');
    const config = () => loadConfig({ environment: { HESTIA_CONFIG: target }, workingDirectory: folder });
    expect(config()).toMatchObject({
      servers: { a: { command: 'mine' }, '@x/b': { command: 'b' } },
      limits: { drainMs: 7 },
      misconfiguredServers: [],
    });
    await importFile('mcp.json', pasted, ['--replace']);
    expect(config().servers.a).toMatchObject({ command: 'theirs' });
  });

  test('lets only its owner read a new file, and follows a link to an existing one', async () => {
    await importFile('mcp.json', '{ "servers": { "a": { "command": "a" } } }');
    expect((await stat(target)).mode & 0o777).toBe(0o600);
    const real = join(folder, 'real.json');
    await writeFile(real, '{}', { mode: 0o640 });
    const link = join(folder, 'link.json');
    await symlink(real, link);
    await importFile('mcp.json', '{ "servers": { "a": { "command": "a" } } }', ['--config', link]);
    expect(JSON.parse(await readFile(real, 'utf8'))).toEqual({ mcpServers: { a: { command: 'a' } } });
    expect((await stat(real)).mode & 0o777).toBe(0o640);
  });

  test('with --dry-run writes nothing', async () => {
    const run = await importFile('config.toml', codex, ['--dry-run']);
    expect(run.lines()[0]).toMatchObject({ written: false });
    await expect(readFile(target)).rejects.toThrow('ENOENT');
  });

  const inputs = JSON.stringify({
    inputs: [{ type: 'promptString', id: 'token', description: 'API token', password: true }],
    servers: { a: { command: 'a', env: { KEY: '${input:token}' } } },
  });

  test('asks for inputs on a terminal, and writes the answer', async () => {
    const asked: unknown[] = [];
    const ask = async (question: string, options: object) => {
      asked.push([question, options]);
      return 's3';
    };
    const run = await importFile('mcp.json', inputs, [], { ask, isTerminal: true });
    expect(asked).toEqual([['API token (empty: from the environment variable INPUT_TOKEN): ', { isSecret: true }]]);
    expect(await written()).toEqual({ mcpServers: { a: { command: 'a', env: { KEY: 's3' } } } });
    expect(run.stdout).not.toContain('s3');
  });

  test('names the variable of an input where there is no terminal, or no answer', async () => {
    const run = await importFile('mcp.json', inputs, [], { ask: async () => '', isTerminal: true });
    expect(await written()).toEqual({ mcpServers: { a: { command: 'a', env: { KEY: '${INPUT_TOKEN}' } } } });
    expect(run.stdout).toBe(
      `taken     a (stdio)\nto be set before the hub starts: INPUT_TOKEN (API token)\nwritten to ${target}, to start with the hub: 1 of 1 servers\n`,
    );
  });

  test.each([
    ['broken.json', '{ "mcpServers": { "a": hunter2 } }', 1, 'broken.json:1:24: not valid JSON: '],
    ['broken.toml', 'key = hunter2', 1, 'broken.toml:1:7: Invalid TOML document: '],
    ['broken.yaml', 'a: [1,\nb: "hunter2', 1, 'broken.yaml:2:'],
    ['list.json', '[]', 1, 'list.json: must hold an object of settings'],
    ['empty.json', '{ "theme": "dark" }', 1, 'empty.json: no server was taken over'],
  ])('of %s fails with one line that shows no text of the file', async (name, text, exitCode, expected) => {
    const run = await importFile(name, text);
    expect(run.exitCode).toBe(exitCode);
    expect(run.stderr).toContain(expected);
    expect(run.stderr.trimEnd()).not.toMatch(/\n|hunter2/);
  });

  test('of a missing file is incorrect usage', async () => {
    const run = await runCommand(['servers', 'import', join(folder, 'gone.json')]);
    expect(run).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('gone.json: cannot be read (ENOENT)') });
  });

  test('into a file that is not valid JSON changes nothing', async () => {
    await writeFile(target, '{ "a": ');
    const run = await importFile('config.toml', codex);
    expect(run).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('hestia.config.json:1:8: not valid JSON'),
    });
    expect(await readFile(target, 'utf8')).toBe('{ "a": ');
  });
});
