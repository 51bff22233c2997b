/** Skills at their limits over HTTP: the largest that is allowed, and file names that are members of every object. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { skillLimits } from '../../../src/shapes/skill.ts';
import { json, skillText } from '../../support/hub/hub.ts';
import { type ListeningHub, startListeningHub } from '../../support/hub/hub-listening.ts';

let hub: ListeningHub;
beforeAll(async () => {
  hub = await startListeningHub();
});
afterAll(() => hub[Symbol.asyncDispose]());

/** Publishes a skill as JSON text. */
const publish = (name: string, files: string) =>
  hub.operator.fetch(`/v1/skills/${name}`, {
    method: 'PUT',
    body: `{"document":${JSON.stringify(skillText(name))},"files":${files}}`,
    headers: { 'content-type': 'application/json' },
  });

/** The size of a binary file that makes the skill this long. */
const fillTo = (bytes: number, name: string) => Buffer.alloc(bytes - Buffer.byteLength(skillText(name)), 0xfe);

const base64File = (content: Buffer) =>
  JSON.stringify({ 'data.bin': { content: content.toString('base64'), encoding: 'base64' } });

describe('a skill over HTTP', () => {
  test('may have 16 MiB, and each of its bytes counts', async () => {
    const content = fillTo(skillLimits.bytesMax, 'large');
    const published = await publish('large', base64File(content));
    expect(published.status, await published.clone().text()).toBe(201);
    const again = await json(publish('large', base64File(content)));
    expect(again.change).toBe('unchanged');
    content[content.length - 1] = 0;
    expect((await json(publish('large', base64File(content)))).change).toBe('updated');
  });

  test('with one byte more is refused with the limit', async () => {
    const refused = await publish('larger', base64File(fillTo(skillLimits.bytesMax + 1, 'larger')));
    expect(refused.status).toBe(422);
    expect((await json(refused)).detail).toContain('16777216');
  });

  test('refuses a file called __proto__, which would be lost without a word', async () => {
    const refused = await publish('members', '{"__proto__":"lost"}');
    expect(refused.status).toBe(400);
    expect((await json(refused)).detail).toMatch(/^files\.__proto__: /);
  });

  test.each(['constructor', 'toString', 'folder/__proto__'])('may have a file called %s', async (path) => {
    const published = await publish('members', `{${JSON.stringify(path)}:"kept"}`);
    expect([200, 201]).toContain(published.status);
    const { files } = await json(hub.operator.fetch('/v1/skills/members'));
    expect(files).toEqual([{ path, encoding: 'utf-8' }]);
    await hub.operator.fetch('/v1/skills/members/activate', { method: 'POST' });
    const call = { json: { arguments: { file: path } } };
    const { result } = await json(hub.operator.fetch('/v1/tools/hestia/skill_members/call', call));
    expect(result.content[0].text).toContain('kept');
  });
});
