/** `hestia audit events`: what it prints, in which order, and how it follows. */
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type ListeningHub, startListeningHub } from '../support/hub/hub-listening.ts';
import { type CommandRunOptions, runCommand } from '../support/programs/command-run.ts';

let hub: ListeningHub;
beforeAll(async () => {
  hub = await startListeningHub({});
  for (let at = 0; at < 5; at += 1) await hub.key(`agent-${at}`);
});
afterAll(() => hub[Symbol.asyncDispose]());

const run = (words: string[], options: CommandRunOptions = {}) =>
  runCommand(['audit', 'events', ...words, '--url', hub.url, '--key', hub.operator.secret], options);

describe('audit events', () => {
  test('prints the newest records that match, in the order of time', async () => {
    const all = (await run(['--event', 'KEY_CREATED'])).lines();
    expect(all.length).toBeGreaterThanOrEqual(6);
    const newest = (await run(['--event', 'KEY_CREATED', '--limit', '2'])).lines();
    expect(newest).toEqual(all.slice(-2));
    expect(newest.map(({ fields }) => fields)).toEqual([
      expect.objectContaining({ agent_id: 'agent-3' }),
      expect.objectContaining({ agent_id: 'agent-4' }),
    ]);
  });

  test('prints a table on a terminal, and says when nothing matches', async () => {
    const { stdout } = await run(['--event', 'KEY_CREATED', '--limit', '1'], { isTerminal: true });
    const [head = '', row = ''] = stdout.split('\n');
    expect(head).toMatch(/^TIME {2,}SEQ {2,}AGENT {2,}OUTCOME {2,}EVENT {2,}TARGET$/);
    expect(row).toMatch(
      /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ {2} *\d+ {2,}tests {2,}success {2,}KEY_CREATED {2,}key:[0-9a-f]{16}$/,
    );
    const none = await run(['--agent', 'nobody'], { isTerminal: true });
    expect(none.stdout).toBe('no record matches\n');
  });

  test('passes every filter on, and what the hub refuses becomes one line', async () => {
    expect((await run(['--since', '1h', '--event', 'KEY_CREATED', '--agent', 'tests'])).lines()).not.toEqual([]);
    expect((await run(['--until', '1h'])).lines()).toEqual([]);
    const refused = await run(['--since', 'yesterday']);
    expect(refused.exitCode).toBe(1);
    expect(refused.stderr).toMatch(/^hestia: since: must be a time such as [^\n]+\n$/);
    const unknown = await run(['--event', 'KEY_CREATD']);
    expect(unknown.exitCode).toBe(2);
    expect(unknown.stderr).toContain('KEY_CREATED');
  });

  test('follows: new records are printed as they come, once each, until it is interrupted', async () => {
    const interruption = new AbortController();
    let printed = '';
    const write = (text: string) => {
      printed += text;
      return true;
    };
    const running = run(['--event', 'KEY_CREATED', '--limit', '1', '--follow'], {
      signal: interruption.signal,
      stdout: { write, isTTY: false },
    });
    await vi.waitUntil(() => printed.split('\n').length === 2, { timeout: 30_000 });
    await hub.key('followed-1');
    await hub.key('followed-2');
    await vi.waitUntil(() => printed.split('\n').length === 4, { timeout: 30_000 });
    interruption.abort();
    expect((await running).exitCode).toBe(0);
    const agents = printed
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).fields.agent_id);
    expect(agents).toEqual(['agent-4', 'followed-1', 'followed-2']);
  });
});
