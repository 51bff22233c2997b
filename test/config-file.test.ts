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
    [{ colour: 'red' }, 'colour'],
    [{ limits: { callTimeoutSeconds: 3 } }, 'limits.callTimeoutSeconds'],
    [{ skills: { folders: [] } }, 'skills.folders'],
    [{ policy: { hosts: [] } }, 'policy.hosts'],
    [{ mcpServers: { files: { command: 'x', comand: 'y' } } }, 'mcpServers.files.comand'],
    [{ mcpServers: { files: { url: 'http://x', header: {} } } }, 'mcpServers.files.header'],
  ] as const;
  test.each(unknown)('refuses %j and names the unknown key', async (content, key) => {
    expect(await refusal(() => loadFile(content))).toBe(`hestia.config.json: ${key}: unknown key`);
  });

  const bad = [
    ['{"a": ', 'not valid JSON'],
    [[], '(the whole file): '],
    [{ scheduler: { intervalHours: 5 } }, 'scheduler.intervalHours: found 5, must be one of 0.25, 0.5, 1, '],
    [{ storage: { durability: 'none' } }, 'storage.durability: found "none", must be "normal" or "full"'],
    [{ retention: { auditDays: 0 } }, 'retention.auditDays: found 0, '],
    [{ limits: { callTimeoutMs: '3s' } }, 'limits.callTimeoutMs: found "3s", '],
    [
      { limits: { callTimeoutMsMax: 1000 } },
      'limits.callTimeoutMs: found 30000, must be at most limits.callTimeoutMsMax (1000)',
    ],
    [
      { limits: { reconnectDelayMs: 50, reconnectDelayMsMax: 40 } },
      'limits.reconnectDelayMs: found 50, must be at most limits.reconnectDelayMsMax (40)',
    ],
    [{ skills: { namespace: '-x' } }, 'skills.namespace: found "-x", must be 1 to 64 letters, '],
    [{ mcpServers: { 'a/b': { command: 'x' } } }, 'mcpServers.a/b: must be 1 to 64 letters, '],
    [{ mcpServers: { hestia: { command: 'x' } } }, `mcpServers.hestia: "hestia" is the hub's own name`],
    [{ mcpServers: { files: {} } }, 'mcpServers.files: must be { "command", '],
    [{ mcpServers: { files: { command: 5 } } }, 'mcpServers.files.command: found 5, '],
    [{ mcpServers: { files: { url: 'ftp://x' } } }, 'mcpServers.files.url: '],
  ] as const;
  test.each(bad)('refuses %j with one line', async (content, reason) => {
    const message = await refusal(() => loadFile(content));
    expect(message.slice(0, `hestia.config.json: ${reason}`.length)).toBe(`hestia.config.json: ${reason}`);
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
    { mcpServers: { a: { command: 'x', env: secret } } },
    `{ "mcpServers": { "a": ${secret} } }`,
  ])('never shows a value that may be a secret: %j', async (content) => {
    expect(await refusal(() => loadFile(content, { TOKEN: secret }))).not.toContain(secret);
  });

  test('never shows a number in place of a secret', async () => {
    const content = { mcpServers: { a: { command: 'x', env: { PIN: 31_337 } } } };
    expect(await refusal(() => loadFile(content))).toBe(
      'hestia.config.json: mcpServers.a.env.PIN: Invalid input: expected string, received number',
    );
  });
});

describe('a server entry that is neither of the two kinds', () => {
  test('is refused with the key that is unknown to both', async () => {
    const message = await configRefusal(() => loadConfigFile(folder, { mcpServers: { files: { comand: 'x' } } }));
    expect(message).toContain('mcpServers.files: unknown key "comand", must be { "command"');
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

  test('stops the start if it is not set, and the error names the place and the variable', async () => {
    expect(await refusal(() => args('${MISSING}'))).toBe(
      'mcpServers.a.args.0: the environment variable MISSING is not set, and no default is given',
    );
  });

  test('is not replaced outside of mcpServers', async () => {
    const { policy } = await loadFile({ policy: { allowedHosts: ['${HOME}'] } }, { HOME: 'x' });
    expect(policy.allowedHosts).toEqual(['${HOME}']);
  });
});
