/**
 * Configurations as people paste them from MCP clients: each server is read correctly, or is misconfigured with one line that
 * says what to write. None stops the hub. The examples follow the public documentation of each client.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Config } from '../src/shapes/configuration/config.ts';
import { configRefusal, loadConfigFile } from './support/hub/config-loading.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hestia-config-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

const environment = { HOME: '/home/ada', TOKEN: 't0', COPILOT_MCP_KEY: 'c0' };

async function load(content: unknown, more: Record<string, string> = {}): Promise<Config> {
  return await loadConfigFile(folder, content, { ...environment, ...more });
}

/** The reason of the only misconfigured server, from its key on. */
async function reason(content: unknown): Promise<string> {
  const { misconfiguredServers } = await load(content);
  expect(misconfiguredServers).toHaveLength(1);
  const text = misconfiguredServers[0]?.reason ?? '';
  expect(text).toMatch(/^hestia\.config\.json:\d+:\d+: /);
  return text.replace(/^hestia\.config\.json:\d+:\d+: /, '');
}

const stdio = (command: string, args: string[] = [], env: Record<string, string> = {}) => ({
  ...{ command, args, env },
  autoConnect: true,
});
const http = (url: string, headers: Record<string, string> = {}) => ({ url, headers, autoConnect: true });
const login = (oauth: object) => ({ grant: 'authorization_code', identity: 'hub', ...oauth });
const streamable = (url: string, headers: Record<string, string> = {}) => ({ type: 'http', ...http(url, headers) });

interface Pasted {
  client: string;
  content: unknown;
  servers: Record<string, unknown>;
  /** A part of each warning, in order. */
  warnings?: string[];
}

const pasted: Pasted[] = [
  {
    client: 'Claude Desktop, the whole file',
    content: {
      globalShortcut: 'Alt+Space',
      mcpServers: { files: { command: 'npx', args: ['-y', 'server', '~/Desktop'], env: { DEBUG: 'x' } } },
      preferences: { menuBarEnabled: false },
      coworkSomething: true,
    },
    servers: { files: stdio('npx', ['-y', 'server', '/home/ada/Desktop'], { DEBUG: 'x' }) },
    warnings: ['ignored, since they are settings of a client: "globalShortcut", "preferences", "coworkSomething"'],
  },
  {
    client: 'Claude Code, ~/.claude.json',
    content: {
      numStartups: 12,
      tipsHistory: {},
      cachedChangelog: '…',
      oauthAccount: { emailAddress: 'a@example.org' },
      mcpServers: {
        docs: { type: 'http', url: 'https://example.org/mcp', headers: { Authorization: 'Bearer ${TOKEN}' } },
      },
      projects: { '/srv/app': { mcpServers: { local: { type: 'stdio', command: 'x' } }, history: [] } },
    },
    servers: { docs: streamable('https://example.org/mcp', { Authorization: 'Bearer t0' }) },
    warnings: [
      'settings of a client: "numStartups"',
      'projects./srv/app.mcpServers: ignored: the servers of one project (1)',
    ],
  },
  {
    client: 'Claude Code, .mcp.json with timeout and oauth',
    content: {
      mcpServers: {
        api: {
          type: 'http',
          url: '${API_BASE_URL:-https://api.example.com}/mcp',
          oauth: { clientId: 'x', callbackPort: 8080 },
          timeout: 600000,
        },
      },
    },
    servers: { api: { ...streamable('https://api.example.com/mcp'), oauth: login({ clientId: 'x' }) } },
    warnings: [
      'api.timeout: ignored: the hub has limits.callTimeoutMs',
      'api.oauth.callbackPort: ignored: the hub finds it by itself',
    ],
  },
  {
    client: 'VS Code, .vscode/mcp.json',
    content: `{
  // Servers of the workspace
  "inputs": [
    { "type": "promptString", "id": "host", "description": "Host", "default": "example.org" },
  ],
  "servers": {
    "remote": { "type": "http", "url": "https://\${input:host}/mcp", "headers": { "X-Key": "\${env:TOKEN}" } },
    "local": {
      "type": "stdio", "command": "node", "args": ["\${userHome}\${/}server.js"],
      "env": { "KEEP": null, "PORT": 8080, "VERBOSE": true },
      "dev": { "watch": "build/**/*.js", "debug": { "type": "node" } },
    },
  },
}`,
    servers: {
      remote: streamable('https://example.org/mcp', { 'X-Key': 't0' }),
      local: stdio('node', ['/home/ada/server.js'], { PORT: '8080', VERBOSE: 'true' }),
    },
    warnings: ['local.dev: ignored: only the client needs it', 'local.env.KEEP: null: left out; write "${KEEP}"'],
  },
  {
    client: 'VS Code, settings.json',
    content: {
      'editor.fontSize': 14,
      mcp: { inputs: [], servers: { time: { command: 'uvx', args: ['mcp-server-time'] } } },
    },
    servers: { time: stdio('uvx', ['mcp-server-time']) },
    warnings: ['settings of a client: "editor.fontSize"'],
  },
  {
    client: 'Cursor',
    content: {
      mcpServers: {
        local: { type: 'stdio', command: '${userHome}/bin/server', args: ['--key', '${env:TOKEN}'] },
        remote: { url: 'https://example.org/mcp', auth: { CLIENT_ID: 'x', scopes: ['read'] } },
      },
    },
    servers: {
      local: stdio('/home/ada/bin/server', ['--key', 't0']),
      remote: { ...http('https://example.org/mcp'), oauth: login({ clientId: 'x', scopes: ['read'] }) },
    },
  },
  {
    client: 'Windsurf',
    content: {
      mcpServers: { remote: { serverUrl: 'https://example.org/mcp', headers: { API_KEY: 'Bearer ${env:TOKEN}' } } },
    },
    servers: { remote: http('https://example.org/mcp', { API_KEY: 'Bearer t0' }) },
  },
  {
    client: 'Gemini CLI, settings.json',
    content: {
      security: { auth: { selectedType: 'oauth-personal' } },
      ui: { theme: 'GitHub' },
      mcp: { allowed: ['a'], excluded: ['b'] },
      mcpServers: {
        python: {
          command: 'python',
          args: ['-m', 'my_server', '--port', 8080],
          env: { KEY: '$TOKEN', OTHER: '${TOKEN}' },
          timeout: 15000,
          trust: true,
          includeTools: ['safe'],
        },
        remote: { httpUrl: 'https://example.org/mcp', url: 'https://example.org/sse' },
      },
    },
    servers: {
      python: stdio('python', ['-m', 'my_server', '--port', '8080'], { KEY: 't0', OTHER: 't0' }),
      remote: http('https://example.org/mcp'),
    },
    warnings: [
      'mcp: ignored: it holds settings of a client',
      'python.timeout: ignored',
      'python.trust: ignored: approval of calls',
      'python.includeTools: ignored: the hub offers all tools of the server but those',
      'python.env.KEY: $TOKEN is read as ${TOKEN}',
      'remote.url: ignored: "httpUrl" is used',
      'settings of a client: "security", "ui"',
    ],
  },
  {
    client: 'Cline',
    content: {
      mcpServers: {
        local: {
          command: 'node',
          args: ['server.js'],
          disabled: true,
          autoApprove: ['read'],
          timeout: 60,
          transportType: 'stdio',
        },
        remote: { type: 'streamableHttp', url: 'https://example.org/mcp', alwaysAllow: [] },
      },
    },
    servers: {
      local: { ...stdio('node', ['server.js']), autoConnect: false },
      remote: streamable('https://example.org/mcp'),
    },
    warnings: ['local.autoApprove: ignored', 'local.timeout: ignored', 'remote.alwaysAllow: ignored'],
  },
  {
    client: 'Roo Code',
    content: {
      mcpServers: {
        local: { command: 'node', args: ['s.js'], alwaysAllow: ['t'], disabled: false, watchPaths: ['s.js'] },
        remote: { type: 'streamable-http', url: 'https://example.org/mcp', disabledTools: ['x'] },
      },
    },
    servers: {
      local: stdio('node', ['s.js']),
      remote: { ...streamable('https://example.org/mcp'), disabledTools: ['x'] },
    },
    warnings: ['local.alwaysAllow', 'local.watchPaths'],
  },
  {
    client: 'Kiro',
    content: {
      mcpServers: {
        web: { command: 'uvx', args: ['s@latest'], env: {}, disabled: false, autoApprove: ['*'], disabledTools: [] },
      },
    },
    servers: { web: stdio('uvx', ['s@latest']) },
    warnings: ['web.autoApprove'],
  },
  {
    client: 'Zed, settings.json',
    content: {
      theme: 'One Dark',
      context_servers: {
        local: { source: 'custom', enabled: true, command: 'node', args: ['s.js'], env: {} },
        old: { command: { path: '/opt/my tools/server', args: ['--x'], env: { A: '1' } }, settings: {} },
        remote: { url: 'https://example.org/mcp', enabled: false },
      },
    },
    servers: {
      local: stdio('node', ['s.js']),
      old: stdio('/opt/my tools/server', ['--x'], { A: '1' }),
      remote: { ...http('https://example.org/mcp'), autoConnect: false },
    },
    warnings: ['local.source: ignored', 'settings of a client: "theme"'],
  },
  {
    client: 'opencode',
    content: {
      $schema: 'https://opencode.ai/config.json',
      mcp: {
        local: { type: 'local', command: ['bun', 'x', 'server'], enabled: true, environment: { KEY: '{env:TOKEN}' } },
        remote: { type: 'remote', url: 'https://example.org/mcp', headers: { Authorization: 'Bearer {env:TOKEN}' } },
      },
    },
    servers: {
      local: stdio('bun', ['x', 'server'], { KEY: 't0' }),
      remote: http('https://example.org/mcp', { Authorization: 'Bearer t0' }),
    },
  },
  {
    client: 'LM Studio',
    content: { mcpServers: { hf: { url: 'https://hf.co/mcp', headers: { Authorization: 'Bearer <YOUR_TOKEN>' } } } },
    servers: { hf: http('https://hf.co/mcp', { Authorization: 'Bearer <YOUR_TOKEN>' }) },
  },
  {
    client: 'Copilot CLI and coding agent',
    content: {
      mcpServers: {
        sentry: { type: 'local', command: 'npx', args: ['-y', 's'], tools: ['*'], env: { KEY: 'COPILOT_MCP_KEY' } },
        remote: { type: 'http', url: 'https://example.org/mcp', tools: ['a'], headers: { K: '$COPILOT_MCP_KEY' } },
      },
    },
    servers: {
      sentry: stdio('npx', ['-y', 's'], { KEY: 'c0' }),
      remote: streamable('https://example.org/mcp', { K: 'c0' }),
    },
    warnings: ['sentry.tools: ignored: the hub offers all tools', 'remote.tools: ignored: the hub offers all tools'],
  },
  {
    client: 'mcp-hub',
    content: {
      mcpServers: {
        local: { command: 'npx', args: ['s'], disabled_tools: ['x'], custom_instructions: { text: 'y' }, dev: {} },
      },
      nativeMCPServers: {},
    },
    servers: { local: { ...stdio('npx', ['s']), disabledTools: ['x'] } },
    warnings: ['custom_instructions', 'dev', 'settings of a client: "nativeMCPServers"'],
  },
  {
    client: 'MetaMCP, by name and as a list',
    content: {
      mcpServers: {
        hn: { type: 'STDIO', command: 'uvx', args: ['mcp-hn'], description: 'News', url: null },
        api: { type: 'STREAMABLE_HTTP', url: 'https://example.org/mcp', bearerToken: '${TOKEN}', command: '' },
      },
      servers: [{ name: 'time', type: 'stdio', command: 'uvx', args: ['mcp-time'] }],
    },
    servers: {
      hn: stdio('uvx', ['mcp-hn']),
      api: streamable('https://example.org/mcp', { Authorization: 'Bearer t0' }),
      time: stdio('uvx', ['mcp-time']),
    },
    warnings: ['hn.description: ignored: it is for display only', 'servers.0.name: ignored'],
  },
  {
    client: 'Claude Code and MetaMCP, HTTP+SSE',
    content: {
      mcpServers: {
        a: { type: 'sse', url: 'https://example.org/sse' },
        b: { type: 'SSE', url: 'https://example.org/b' },
      },
    },
    servers: {
      a: { type: 'sse', ...http('https://example.org/sse') },
      b: { type: 'sse', ...http('https://example.org/b') },
    },
  },
  {
    client: 'Cherry Studio',
    content: {
      mcpServers: { x: { name: 'X', type: 'streamableHttp', isActive: true, baseUrl: 'https://example.org/mcp' } },
    },
    servers: { x: streamable('https://example.org/mcp') },
    warnings: ['x.name'],
  },
  {
    client: 'Amp',
    content: { 'amp.mcpServers': { a: { command: 'npx', args: ['a'] } }, 'amp.notifications.enabled': true },
    servers: { a: stdio('npx', ['a']) },
    warnings: ['settings of a client: "amp.notifications.enabled"'],
  },
  {
    client: 'a server without "mcpServers" around it',
    content: { svelte: { command: 'npx', args: ['-y', '@sveltejs/mcp'] } },
    servers: { svelte: stdio('npx', ['-y', '@sveltejs/mcp']) },
    warnings: ['svelte: read as a server; servers belong into "mcpServers"'],
  },
  {
    client: 'a whole file pasted into "mcpServers"',
    content: { mcpServers: { mcpServers: { a: { command: 'a' } } } },
    servers: { a: stdio('a') },
  },
  {
    client: 'a command line in "command"',
    content: { mcpServers: { a: { command: `npx -y "my server" '--x y'`, args: ['z'] } } },
    servers: { a: stdio('npx', ['-y', 'my server', '--x y', 'z']) },
    warnings: ['a.command: is read as a command line: "command": "npx", and 3 words as "args"'],
  },
  {
    client: '~ in command and cwd',
    content: { mcpServers: { a: { command: '~/bin/a', cwd: '~' } } },
    servers: { a: { ...stdio('/home/ada/bin/a'), cwd: '/home/ada' } },
  },
  {
    client: 'names of registries, npm and plugins',
    content: {
      mcpServers: {
        'io.github.user/server': { command: 'a' },
        '@upstash/context7': { command: 'b' },
        'plugin:foo:bar': { command: 'c' },
      },
    },
    servers: { 'io.github.user/server': stdio('a'), '@upstash/context7': stdio('b'), 'plugin:foo:bar': stdio('c') },
  },
  {
    client: 'comments as keys',
    content: { '//': 'mine', mcpServers: { a: { command: 'a', _comment: 'x', '// args': [] } } },
    servers: { a: stdio('a') },
  },
  {
    client: 'a server that is given twice',
    content: '{ "mcpServers": { "a": { "command": "x" }, "a": { "command": "y" } } }',
    servers: { a: stdio('y') },
    warnings: ['mcpServers.a: given more than once; the last one counts'],
  },
];

describe('a configuration pasted from a client', () => {
  test.each(pasted)('of $client is read', async ({ content, servers, warnings }) => {
    const config = await load(content);
    expect(config.misconfiguredServers).toEqual([]);
    expect(config.servers).toEqual(servers);
    expect(config.warnings).toEqual((warnings ?? []).map((part) => expect.stringContaining(part)));
  });

  test('has ${workspaceFolder} read as the folder of the file, with a warning', async () => {
    const { servers, warnings } = await load({ servers: { a: { command: 'a', args: ['${workspaceFolder}/src'] } } });
    expect(servers.a).toMatchObject({ args: [`${folder}/src`] });
    expect(warnings).toEqual([expect.stringContaining('${workspaceFolder} is the folder of this file for the hub')]);
  });

  test('has an input read from its environment variable', async () => {
    const content = {
      inputs: [{ type: 'promptString', id: 'github-token', description: 'GitHub token', password: true }],
      servers: { a: { command: 'a', env: { KEY: '${input:github-token}' } } },
    };
    const { servers } = await load(content, { INPUT_GITHUB_TOKEN: 's3' });
    expect(servers.a).toMatchObject({ env: { KEY: 's3' } });
    expect(await reason(content)).toBe(
      'servers.a.env.KEY: the environment variable INPUT_GITHUB_TOKEN (GitHub token) is not set, and no default is given; start the hub with INPUT_GITHUB_TOKEN set, or write ${INPUT_GITHUB_TOKEN:-default}',
    );
  });

  test('has a program whose path contains blanks taken as it is', async () => {
    await writeFile(join(folder, 'my server'), '');
    const { servers, misconfiguredServers } = await load({ mcpServers: { a: { command: join(folder, 'my server') } } });
    expect(misconfiguredServers).toEqual([]);
    expect(servers.a).toMatchObject({ command: join(folder, 'my server'), args: [] });
  });
});

const server = (entry: unknown) => ({ mcpServers: { a: entry } });
const refused: [string, unknown, string][] = [
  ['a misspelled key', { comand: 'x' }, 'mcpServers.a.comand: unknown key; did you mean "command"?'],
  [
    'a misspelled key of a client',
    { command: 'x', autoAprove: [] },
    'autoAprove: unknown key; did you mean "autoApprove"?',
  ],
  ['an unknown key', { command: 'x', zzz: 1 }, 'mcpServers.a.zzz: unknown key; remove it'],
  [
    'neither command nor URL',
    {},
    'mcpServers.a: must be { "command", "args", "env", "cwd" } or { "url", "headers" }: write',
  ],
  ['both command and URL', { command: 'x', url: 'http://x' }, 'mcpServers.a: has both "command" and "url"; remove one'],
  ['text in place of an entry', 'npx x', 'mcpServers.a: found text, must be { "command"'],
  [
    'a number as command',
    { command: 5 },
    'mcpServers.a.command: found a number, must be the program to start, as text',
  ],
  [
    'a shell command',
    { command: 'cd x && npx y' },
    'a.command: the hub starts programs without a shell; write "command": "sh"',
  ],
  ['a variable before the command', { command: 'A=1 npx y' }, 'a.command: starts with a variable; write it into "env"'],
  ['a path with blanks that is no file', { command: '/opt/x -y z' }, 'write "command": "/opt/x", "args": ["…", "…"]'],
  [
    'arguments in one text',
    { command: 'x', args: '-y z' },
    'mcpServers.a.args: found text, must be a list, as in ["-y", "server"]',
  ],
  [
    'env as a list',
    { command: 'x', env: ['A=1'] },
    'a.env: found a list, must be an object, as in { "NAME": "value" }',
  ],
  [
    'env with an object',
    { command: 'x', env: { KEY: {} } },
    'a.env.KEY: found an object, must be text: write it in double quotes',
  ],
  [
    'env with a fraction',
    { command: 'x', env: { V: 1.1 } },
    'a.env.V: found a number, must be text: write it in double quotes, so that',
  ],
  [
    'env with a long number',
    '{"mcpServers":{"a":{"command":"x","env":{"ID":12345678901234567890}}}}',
    'a.env.ID: found a number',
  ],
  [
    'a URL without scheme',
    { url: 'example.org/mcp' },
    'a.url: must be an http or https URL, as in "https://example.org/mcp"',
  ],
  ['a URL under another name', { serverUrl: 'ftp://x' }, 'mcpServers.a.serverUrl: must be an http or https URL'],
  [
    'a type without its key',
    { type: 'http', command: 'x' },
    'a.type: a server of this type needs "url"; remove the type, or write "url"',
  ],
  ['an unknown type', { type: 'grpc', url: 'http://x' }, 'a.type: unknown type; write "stdio", "http" or "sse"'],
  [
    'WebSocket',
    { type: 'ws', url: 'ws://x' },
    'a.type: the hub does not speak MCP over WebSocket; write "type": "http"',
  ],
  [
    'disabled as text',
    { command: 'x', disabled: 'false' },
    'a.disabled: found text, must be true or false, without quotes',
  ],
  [
    'envFile',
    { command: 'x', envFile: '.env' },
    'a.envFile: the hub reads no file of variables; write each of them into "env"',
  ],
  [
    'headersHelper',
    { url: 'http://x', headersHelper: './h.sh' },
    'a.headersHelper: the hub runs no command for headers; write',
  ],
  [
    'an extension of Zed',
    { source: 'extension', settings: { key: 'x' } },
    'a.settings: the settings are for an extension',
  ],
  [
    '${command:x}',
    { command: 'x', env: { A: '${command:pick}' } },
    'a.env.A: the hub has no value for ${command:…}; write ${NAME}',
  ],
  [
    '${cmd: x} of mcp-hub',
    { command: 'x', args: ['${cmd: op read x}'] },
    'a.args.0: the hub has no value for ${cmd:…}; write',
  ],
  [
    '{file:x} of opencode',
    { url: 'http://x', headers: { A: '{file:~/k}' } },
    'a.headers.A: the hub reads no file for {file:…}',
  ],
  [
    'a variable that is not set',
    { command: 'x', env: { A: '${env:NOPE}' } },
    'a.env.A: the environment variable NOPE is not set',
  ],
];

describe('a server entry that cannot be used', () => {
  test.each(refused)('with %s is misconfigured, and the reason says what to write', async (_case, entry, expected) => {
    expect(await reason(typeof entry === 'string' && entry.startsWith('{') ? entry : server(entry))).toContain(
      expected,
    );
  });

  test.each([
    ['hestia', `mcpServers.hestia: the name of a server "hestia" is the hub's own name`],
    ['a\\b', 'the name of a server must be 1 to 64 letters, digits, blanks, '],
    ['x'.repeat(65), 'the name of a server must be 1 to 64 letters, '],
  ])('by its name %j is misconfigured', async (id, expected) => {
    expect(await reason({ mcpServers: { [id]: { command: 'x' } } })).toContain(expected);
  });

  test('affects no other server', async () => {
    const { servers, misconfiguredServers } = await load({
      mcpServers: { bad: { comand: 'x' }, good: { command: 'y' } },
    });
    expect(Object.keys(servers)).toEqual(['good']);
    expect(misconfiguredServers.map(({ serverId }) => serverId)).toEqual(['bad']);
  });
});

test('a misspelled key of the hub stops the start even in the file of a client', async () => {
  const message = await configRefusal(() => load({ theme: 'x', mcpServer: {} }));
  expect(message).toContain(':1:14: mcpServer: unknown key; did you mean "mcpServers"?');
});
