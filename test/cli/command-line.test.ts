import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { publishSkill } from '../support/hub/hub.ts';
import { type ListeningHub, startListeningHub, untilConnected } from '../support/hub/hub-listening.ts';
import { freePort } from '../support/hub/hub-process.ts';
import { type CommandRun, type CommandRunOptions, runCommand } from '../support/programs/command-run.ts';
import { realServer } from '../support/servers/real-server.ts';

let hub: ListeningHub;
beforeAll(async () => {
  hub = await startListeningHub({ file: { mcpServers: { everything: realServer('everything', ['stdio']) } } });
  await untilConnected(hub, 'everything');
});
afterAll(() => hub[Symbol.asyncDispose]());

/** Runs a command against this hub with its operator key. */
function run(words: string[], options: CommandRunOptions = {}): Promise<CommandRun> {
  return runCommand([...words, '--url', hub.url, '--key', hub.operator.secret], options);
}

/** The one line on standard error, which contains neither a stack nor the key. */
function errorLine({ stderr }: CommandRun): string {
  expect(stderr).toMatch(/^hestia: [^\n]+\n$/);
  expect(stderr).not.toMatch(/\bat .*:\d+:\d+/);
  expect(stderr).not.toContain(hub.operator.secret);
  return stderr;
}

describe('incorrect usage', () => {
  test.each([
    [['frob'], "unknown command 'frob'"],
    [['tools', 'call', 'everything'], "missing required argument 'tool'"],
    [['tools', 'call', 'everything', 'echo', '[1]'], 'must be a JSON object'],
    [['tools', 'search', 'x', '--limit', '51'], 'must be a whole number from 1 to 50'],
    [['keys', 'create', 'bot', '--role', 'king'], 'Allowed choices are agent, auditor, operator'],
    [['tools', 'stats', '--url', 'file:///etc'], '--url: must be an http or https address'],
    [['tools', 'stats', '--key', 'two words'], '--key: must hold one API key'],
    [['tools', 'stats'], '--key-file: cannot read /no/such/folder/operator.key (ENOENT)'],
  ])('%j exits with 2 and prints one line', async (words, message) => {
    const ended = await runCommand(words);
    expect(ended.exitCode).toBe(2);
    expect(errorLine(ended)).toContain(message);
    expect(ended.stdout).toBe('');
  });

  test('help and version exit with 0', async () => {
    expect(await runCommand(['--version'])).toMatchObject({ exitCode: 0, stdout: '1.2.3\n', stderr: '' });
    const help = await runCommand(['tools', '--help']);
    expect(help).toMatchObject({ exitCode: 0, stderr: '' });
    expect(help.stdout).toContain('find tools that fit a description of the task');
  });

  test('serve runs the hub', async () => {
    let served = 0;
    const serve = async () => {
      served += 1;
    };
    expect((await runCommand(['serve'], { serve })).exitCode).toBe(0);
    expect(served).toBe(1);
  });
});

describe('a hub that does not accept requests', () => {
  test('if unreachable, the command exits with 3 and names the address', async () => {
    const url = `http://127.0.0.1:${await freePort()}`;
    const ended = await runCommand(['tools', 'stats', '--url', url, '--key', 'any']);
    expect(ended.exitCode).toBe(3);
    expect(errorLine(ended)).toContain(`no hub answers at ${url} (ECONNREFUSED)`);
  });

  test('if it refuses the key, the command exits with 1 and names the code and the trace', async () => {
    const ended = await runCommand(['keys', 'list', '--url', hub.url, '--key', 'hst_wrong']);
    expect(ended.exitCode).toBe(1);
    expect(errorLine(ended)).toMatch(/UNAUTHENTICATED, trace [0-9a-f]{32}/);
    expect(ended.stderr).not.toContain('hst_wrong');
  });

  test('the key is read from the file of --key-file', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'hestia-key-'));
    await writeFile(join(folder, 'key'), `${hub.operator.secret}\n`);
    const ended = await runCommand(['keys', 'list', '--url', hub.url, '--key-file', join(folder, 'key')]);
    expect(ended).toMatchObject({ exitCode: 0, stderr: '' });
    await rm(folder, { recursive: true });
  });
});

describe('keys', () => {
  test('are created, listed and revoked, and printed as NDJSON in a pipe', async () => {
    const created = (await run(['keys', 'create', 'bot', '--namespace', 'finance', '--role', 'auditor'])).lines()[0];
    expect(created).toMatchObject({ agentId: 'bot', namespace: 'finance', role: 'auditor', key: expect.any(String) });
    const revoked = await run(['keys', 'revoke', String(created?.keyId)]);
    expect(revoked.lines()).toEqual([{ keyId: created?.keyId, revoked: true }]);
    const listed = await run(['keys', 'list']);
    expect(listed.lines()).toContainEqual(
      expect.objectContaining({ keyId: created?.keyId, revokedAt: expect.any(String) }),
    );
    expect(listed.stdout).not.toContain(String(created?.key));
  });

  test('are limited to servers, tools, and tools that only read', async () => {
    const limits = ['--server', 'every*', '--server', 'files', '--tool', 'everything/echo', '--read-only'];
    const created = (await run(['keys', 'create', 'limited', ...limits])).lines()[0];
    const scope = { servers: ['every*', 'files'], tools: ['everything/echo'], readOnly: true };
    expect(created).toMatchObject({ agentId: 'limited', role: 'agent', scope });
    const { stdout } = await run(['keys', 'list'], { isTerminal: true });
    expect(stdout).toContain('  read only every* ');
  });

  test('are printed as a table on a terminal', async () => {
    const { stdout } = await run(['keys', 'list'], { isTerminal: true });
    expect(stdout.split('\n')[0]).toMatch(/^KEY {2,}AGENT {2,}NAMESPACE {2,}ROLE {2,}USED {2,}STATE {2,}SCOPE$/);
    expect(stdout).toMatch(/operator {2,}default {2,}operator/);
  });
});

describe('skills', () => {
  test('in a folder are published, activated with a TTL, listed and deactivated', async () => {
    const folder = new URL('../../skills/incident-triage', import.meta.url).pathname;
    expect((await run(['skills', 'publish', folder], { isTerminal: true })).stdout).toMatch(
      /^incident-triage is created, version 1\n/,
    );
    const activated = await run(['skills', 'activate', 'incident-triage', '--ttl', '60'], { isTerminal: true });
    expect(activated.stdout).toMatch(/^incident-triage is the tool skill_incident_triage, version 1 until \d{4}-/);
    expect((await run(['skills', 'list'], { isTerminal: true })).stdout).toContain('skill_incident_triage');
    expect((await run(['skills', 'deactivate', 'incident-triage'])).lines()[0]).toMatchObject({ changed: true });
    expect((await run(['skills', 'deactivate', 'incident-triage'], { isTerminal: true })).stdout).toBe(
      'incident-triage was not active\n',
    );
  });

  test('a folder without a skill or with an invalid skill is reported in one line', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'hestia-skill-'));
    const absent = await run(['skills', 'publish', folder]);
    expect(absent.exitCode).toBe(2);
    expect(errorLine(absent)).toContain('holds no SKILL.md');
    await writeFile(join(folder, 'SKILL.md'), '---\nname: a\n---\n\nx\n');
    const broken = await run(['skills', 'publish', folder]);
    expect(broken.exitCode).toBe(1);
    expect(errorLine(broken)).toContain('description: is missing');
    await rm(folder, { recursive: true });
  });
});

describe('tools', () => {
  test('are found, called and counted', async () => {
    const found = (await run(['tools', 'search', 'add', 'two', 'numbers', '--limit', '1'])).lines();
    expect(found).toEqual([
      expect.objectContaining({ toolName: 'get-sum', searchId: expect.stringMatching(/^srch_/) }),
    ]);
    const searchId = String(found[0]?.searchId);
    const called = await run(['tools', 'call', 'everything', 'get-sum', '{"a":2,"b":3}', '--search-id', searchId]);
    expect(called.lines()).toEqual([expect.objectContaining({ outcome: 'success' })]);
    const { stdout } = await run(['tools', 'stats'], { isTerminal: true });
    expect(stdout).toMatch(/^everything {2,}get-sum {2,}\d+ {2,}\d+/m);
  });

  test('a search that finds nothing, or nothing that fits well, says so', async () => {
    const nothing = await run(['tools', 'search', 'asdf', 'qwerty']);
    expect(nothing.stdout).toBe('');
    expect(nothing.stderr).toContain('nothing matches these words or their meaning\n');
    const weak = await run(['tools', 'search', 'walk', 'the', 'dog', 'in', 'the', 'park'], { isTerminal: true });
    expect(weak.stdout).toMatch(/^everything .* weak match /m);
    expect(weak.stdout).toContain('nothing fits well: check a result before using it\n');
  });

  test('a search is explained by its id, and an unknown id is refused', async () => {
    const [found] = (await run(['tools', 'search', 'add', 'two', 'numbers', '--limit', '2'])).lines();
    const searchId = String(found?.searchId);
    const { stdout } = await run(['search', 'explain', searchId], { isTerminal: true });
    expect(stdout).toMatch(/asked at .*: add two numbers\n\n1\. everything get-sum\n/);
    expect(stdout).toMatch(/number \d+ by its text \(score [\d.]+\)/);
    const absent = await run(['search', 'explain', 'srch_00000000-0000-4000-8000-000000000000']);
    expect(absent.exitCode).toBe(1);
    expect(errorLine(absent)).toContain('search');
  });

  test('a call prints text on a terminal with control characters escaped', async () => {
    const args = JSON.stringify({ message: 'one\u001b[31m\ntwo' });
    const { stdout } = await run(['tools', 'call', 'everything', 'echo', args], { isTerminal: true });
    expect(stdout).toMatch(/^Echo: one\\u001b\[31m\ntwo\nsuccess after [\d.]+ ms, call_/);
  });

  test('a refused call names the field', async () => {
    const ended = await run(['tools', 'call', 'everything', 'get-sum', '{"a":2}']);
    expect(ended.exitCode).toBe(1);
    expect(errorLine(ended)).toContain('arguments.b: is required');
  });
});

describe('audit', () => {
  test('verify prints the verdict, and export prints every record', async () => {
    await publishSkill(hub.operator, 'exported');
    const verdict = await run(['audit', 'verify']);
    expect(verdict).toMatchObject({ exitCode: 0, stderr: '' });
    expect(verdict.lines()).toEqual([expect.objectContaining({ intact: true })]);
    const lines = (await run(['audit', 'export'])).lines();
    const records = lines.filter(({ seq }) => seq !== undefined);
    expect(lines.map(({ type }) => type).filter((type) => type !== undefined)).toEqual([
      'hestia.audit.export/2',
      'hestia.audit.checkpoint/2',
      'hestia.audit.end/2',
    ]);
    expect(records.map(({ seq }) => seq)).toEqual(records.map((_, index) => index + 1));
    expect(records.at(-1)).toMatchObject({ event: 'SKILL_PUBLISHED' });
  });
});
