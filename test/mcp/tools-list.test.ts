/** `tools/list` at /mcp in a namespace with many active skills: pages, cursors, and what a client sees of all of them. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { json, publishSkill, skillText, startTestHub, type TestHub } from '../support/hub/hub.ts';

const skillsCount = 260;
let hub: TestHub;
beforeAll(async () => {
  hub = await startTestHub();
  for (let index = 0; index < skillsCount; index += 1) {
    const name = `skill-${String(index).padStart(3, '0')}`;
    await publishSkill(hub.operator, name, skillText(name, 'x'.repeat(1500)));
    await hub.operator.fetch(`/v1/skills/${name}/activate`, { method: 'POST' });
  }
}, 60_000);
afterAll(() => hub[Symbol.asyncDispose]());

async function list(cursor?: string) {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list', ...(cursor && { params: { cursor } }) });
  const headers = { accept: 'application/json, text/event-stream', 'content-type': 'application/json' };
  const text = await (await hub.operator.fetch('/mcp', { method: 'POST', body, headers })).text();
  return JSON.parse(/^data: (.*)$/m.exec(text)?.[1] ?? text);
}

test('every tool is on exactly one page, and the description of a skill is at most 1,024 characters', async () => {
  const first = await list();
  const second = await list(first.result.nextCursor);
  expect(first.result.tools).toHaveLength(250);
  expect(second.result.nextCursor).toBeUndefined();
  const tools: { name: string; description: string }[] = [...first.result.tools, ...second.result.tools];
  const skills = tools.filter(({ name }) => name.startsWith('skill_skill_'));
  expect(new Set(tools.map(({ name }) => name)).size).toBe(tools.length);
  expect(skills).toHaveLength(skillsCount);
  expect(Math.max(...skills.map(({ description }) => description.length))).toBe(1024);
});

test('a page after a tool that is gone continues at its place', async () => {
  const { nextCursor, tools } = (await list()).result;
  const last = String(tools.at(-1).name).replace('skill_skill_', 'skill-');
  await json(hub.operator.fetch(`/v1/skills/${last}/deactivate`, { method: 'POST' }));
  const rest = (await list(nextCursor)).result.tools;
  expect(rest[0].name > tools.at(-1).name).toBe(true);
});

test.each(['x', Buffer.from('before:a').toString('base64url')])(
  'the cursor %j, which is not one of this list, is refused',
  async (cursor) => {
    expect((await list(cursor)).error.code).toBe(-32602);
  },
);
