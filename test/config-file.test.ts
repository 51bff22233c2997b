/** `hestia.config.json`: its keys, variables in it, and the one-line error for an invalid key. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, sep } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type ConfigSources, loadConfig } from '../src/config.ts';
import { configRefusal, loadConfigFile } from './support/hub/config-loading.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hestia-config-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

function load(environment: ConfigSources['environment'] = {}) {
  return loadConfig({ environment, workingDirectory: folder });
}

function loadFile(content: unknown, environment: ConfigSources['environment'] = {}) {
  return loadConfigFile(folder, content, environment);
}

/** The message that stops the start, without the folder's path. */
async function refusal(start: () => unknown): Promise<string> {
  return (await configRefusal(start)).replace(`${folder}${sep}`, '');
}

describe('the configuration file', () => {
  test('is read from HESTIA_CONFIG, and its paths are resolved against its own folder', async () => {
    await writeFile(join(folder, 'other.json'), '{"skills":{"directories":["skills","/srv/skills"]}}');
    const config = loadConfig({ environment: { HESTIA_CONFIG: join(folder, 'other.json') }, workingDirectory: sep });
    expect(config.skills.directories.map(({ path }) => path)).toEqual([join(folder, 'skills'), '/srv/skills']);
  });

  test('may be absent, unless HESTIA_CONFIG names it', async () => {
    expect(load().servers).toEqual({});
    expect(await refusal(() => load({ HESTIA_CONFIG: 'gone\n.json' }))).toBe(
      'HESTIA_CONFIG: cannot read gone\\u000a.json: no such file',
    );
    expect(await refusal(() => load({ HESTIA_CONFIG: '.' }))).toMatch(/^HESTIA_CONFIG: cannot read /);
  });

  test('accepts servers in the format of MCP clients', async () => {
    const { servers } = await loadFile({
      mcpServers: {
        files: { command: 'npx', args: ['-y', 'server'], env: { ROOT: '/srv' } },
        'Remote one': { type: 'http', url: 'https://example.org/mcp', autoConnect: false },
      },
    });
    expect(servers).toEqual({
      files: { command: 'npx', args: ['-y', 'server'], env: { ROOT: '/srv' }, autoConnect: true },
      'Remote one': { type: 'http', url: 'https://example.org/mcp', headers: {}, autoConnect: false },
    });
  });

  const unknown = [
    [{ colour: 'red' }, '1:2: colour: unknown key'],
    [{ polcy: {} }, '1:2: polcy: unknown key; did you mean "policy"?'],
    [{ mcpServer: {} }, '1:2: mcpServer: unknown key; did you mean "mcpServers"?'],
    [{ limits: { callTimeoutSeconds: 3 } }, '1:12: limits.callTimeoutSeconds: unknown key'],
    [{ limits: { callTimeoutMS: 3 } }, '1:12: limits.callTimeoutMS: unknown key; did you mean "callTimeoutMs"?'],
    [{ skills: { folders: [] } }, '1:12: skills.folders: unknown key'],
    [{ policy: { hosts: [] } }, '1:12: policy.hosts: unknown key'],
  ] as const;
  test.each(unknown)('refuses %j and names the unknown key', async (content, reason) => {
    expect(await refusal(() => loadFile(content))).toBe(`hestia.config.json:${reason}`);
  });

  const bad = [
    ['{"a": ', '1:7: not valid JSON: a value is missing'],
    ['{\n  "limits": {\n    "drainMs": 5\n    "callTimeoutMs": 5 } }', '4:5: not valid JSON: a comma is missing'],
    ["{ 'limits': {} }", '1:3: not valid JSON: '],
    ['{ "skills": { "directories": ["C:\\skills"] } }', '1:31: not valid JSON: a backslash '],
    ['', '1:1: not valid JSON: the file is empty; write {}'],
    [[], ' (the whole file): '],
    [{ scheduler: { intervalHours: 5 } }, '1:15: scheduler.intervalHours: found 5, must be one of 0.25, 0.5, 1, '],
    [{ storage: { durability: 'none' } }, '1:13: storage.durability: found "none", must be "normal" or "full"'],
    [{ retention: { auditDays: 0 } }, '1:15: retention.auditDays: found 0, '],
    [{ limits: { callTimeoutMs: '3s' } }, '1:12: limits.callTimeoutMs: found "3s", '],
    [
      { limits: { callTimeoutMsMax: 1000 } },
      '1:2: limits.callTimeoutMs: found 30000, must be at most limits.callTimeoutMsMax (1000)',
    ],
    [
      { limits: { reconnectDelayMs: 50, reconnectDelayMsMax: 40 } },
      '1:12: limits.reconnectDelayMs: found 50, must be at most limits.reconnectDelayMsMax (40)',
    ],
    [{ skills: { namespace: '-x' } }, '1:12: skills.namespace: found "-x", must be 1 to 64 letters, '],
  ] as const;
  test.each(bad)('refuses %j with one line', async (content, reason) => {
    const message = await refusal(() => loadFile(content));
    expect(message.slice(0, `hestia.config.json:${reason}`.length)).toBe(`hestia.config.json:${reason}`);
  });

  test('has its comments, trailing commas and byte order mark read over', async () => {
    const text = '\ufeff{\n  // servers\n  "mcpServers": { "a": { "command": "x", /* none */ "args": [], }, },\n}\n';
    const { servers, warnings } = await loadFile(text);
    expect(servers.a).toMatchObject({ command: 'x' });
    expect(warnings).toEqual([]);
  });

  test('may be UTF-16 with a byte order mark, as Windows PowerShell writes it', async () => {
    const file = join(folder, 'hestia.config.json');
    await writeFile(file, Buffer.from('\ufeff{ "limits": { "drainMs": 7 } }', 'utf16le'));
    expect(load().limits.drainMs).toBe(7);
  });

  const secret = 'hunter2';
  test.each([
    { mcpServers: { a: `https://user:${secret}@host` } },
    { mcpServers: { a: { url: secret } } },
    { mcpServers: { a: { url: '${TOKEN}' } } },
    { mcpServers: { a: { url: 'http://x', type: '${TOKEN}' } } },
    { mcpServers: { a: { url: 'http://x', headers: secret } } },
    { mcpServers: { a: { url: 'http://x', headers: { Authorization: [secret] } } } },
    { mcpServers: { a: { command: 'x', args: secret } } },
    { mcpServers: { a: { command: `/opt/x --key ${secret}` } } },
    { mcpServers: { a: { command: 'x', env: secret } } },
    { mcpServers: { a: { command: 'x', env: { PIN: [secret] } } } },
  ])('never shows a value of a server, which may be a secret: %j', async (content) => {
    const { misconfiguredServers, warnings } = await loadFile(content, { TOKEN: secret });
    expect(misconfiguredServers).toHaveLength(1);
    expect(JSON.stringify([misconfiguredServers, warnings])).not.toContain(secret);
  });

  test('never shows text that is not valid JSON', async () => {
    expect(await refusal(() => loadFile(`{ "mcpServers": { "a": ${secret} } }`))).not.toContain(secret);
  });
});

describe('a variable in the configuration file', () => {
  const args = async (text: string, environment: ConfigSources['environment'] = {}) => {
    const { servers } = await loadFile({ mcpServers: { a: { command: 'x', args: [text] } } }, environment);
    const server = servers.a;
    return server !== undefined && 'args' in server ? server.args[0] : undefined;
  };

  test.each([
    ['Bearer ${TOKEN}', 'Bearer t0'],
    ['${TOKEN}-${TOKEN:-x}', 't0-t0'],
    ['${MISSING:-fall back}', 'fall back'],
    ['${MISSING:-}', ''],
    ['${EMPTY:-filled}', 'filled'],
    ['${EMPTY}', ''],
    ['${constructor:-own}', 'own'],
    ['$TOKEN $ {TOKEN} ${1}', '$TOKEN $ {TOKEN} ${1}'],
    ['${NESTED}', '${TOKEN}'],
  ])('%s becomes %j', async (text, expanded) => {
    expect(await args(text, { TOKEN: 't0', EMPTY: '', NESTED: '${TOKEN}' })).toBe(expanded);
  });

  test('makes its server misconfigured if it is not set, and the reason names the place and the variable', async () => {
    const { misconfiguredServers, servers } = await loadFile({
      mcpServers: { a: { command: 'x', args: ['${MISSING}'] }, b: { command: 'y' } },
    });
    expect(Object.keys(servers)).toEqual(['b']);
    expect(misconfiguredServers).toEqual([
      {
        serverId: 'a',
        transport: 'stdio',
        reason:
          'hestia.config.json:1:43: mcpServers.a.args.0: the environment variable MISSING is not set, and no default is given; start the hub with MISSING set, or write ${MISSING:-default}',
      },
    ]);
  });

  test('is not replaced outside of mcpServers', async () => {
    const { policy } = await loadFile({ policy: { allowedHosts: ['${HOME}'] } }, { HOME: 'x' });
    expect(policy.allowedHosts).toEqual(['${HOME}']);
  });
});
