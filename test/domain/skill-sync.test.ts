/** Watched directories on a running hub: changes to files become changes to skills. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { json, skillText, startTestHub, type TestHub } from '../support/hub/hub.ts';

let directory: string;
let hub: TestHub;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'hestia-skills-'));
  await writeSkill('triage', skillText('triage'));
  hub = await startTestHub({ file: { skills: { directories: [directory] } } });
});
afterEach(async () => {
  await hub[Symbol.asyncDispose]();
  await rm(directory, { recursive: true, force: true });
});

async function writeSkill(name: string, text: string): Promise<void> {
  await mkdir(join(directory, name), { recursive: true });
  await writeFile(join(directory, name, 'SKILL.md'), text);
}

const skill = (name: string) => json(hub.operator.fetch(`/v1/skills/${name}`));
const within2Seconds = { timeout: 2000, interval: 20 };

describe('a skill in a watched directory', () => {
  test('is published at start, belongs to the hub, and cannot be changed over HTTP', async () => {
    expect(await skill('triage')).toMatchObject({ latestVersion: 1, source: 'directory', ownerAgentId: 'hestia' });
    const response = await hub.operator.fetch('/v1/skills/triage', {
      method: 'PUT',
      body: skillText('triage', 'Mine.'),
      headers: { 'content-type': 'text/markdown' },
    });
    expect([response.status, (await json(response)).code]).toEqual([409, 'CONFLICT']);
  });

  test('that is new is published within two seconds', async () => {
    await writeSkill('forensics', skillText('forensics'));
    await expect.poll(async () => (await skill('forensics')).latestVersion, within2Seconds).toBe(1);
  });

  test('that changes has a new version within two seconds; an active one keeps its version, with SKILL_CHANGED', async () => {
    await hub.operator.fetch('/v1/skills/triage/activate', { method: 'POST' });
    await writeSkill('triage', skillText('triage', 'Changed.', 'Changed instructions.'));
    await expect.poll(async () => (await skill('triage')).latestVersion, within2Seconds).toBe(2);
    const { result } = await json(hub.operator.fetch('/v1/tools/hestia/skill_triage/call', { json: {} }));
    expect(result.structuredContent).toMatchObject({ version: 1, instructions: 'Do triage well.' });
    const { items } = await json(hub.operator.fetch('/v1/audit/events?event=SKILL_CHANGED'));
    expect(items).toMatchObject([
      { agent_id: 'hestia', fields: { skill_name: 'triage', version: 2, active_version: 1 } },
    ]);
  });

  test('that becomes invalid is logged, and its last valid version stays until it is repaired', async () => {
    await writeSkill('triage', 'no frontmatter');
    const report = () => hub.logLines().find((line) => String(line.message).includes('is broken'));
    await expect
      .poll(report, within2Seconds)
      .toMatchObject({ level: 'warn', skill_name: 'triage', error_type: 'INVALID_SKILL' });
    expect(await skill('triage')).toMatchObject({ latestVersion: 1, description: 'Helps with triage.' });
    await writeSkill('triage', skillText('triage', 'Repaired.'));
    await expect.poll(async () => (await skill('triage')).description, within2Seconds).toBe('Repaired.');
  });

  test('whose description is over the limit is published, with one warning per version', async () => {
    const warnings = () => hub.logLines().filter((line) => String(line.message).includes('with a warning'));
    await writeSkill('triage', skillText('triage', 'x'.repeat(1025)));
    await expect.poll(async () => (await skill('triage')).latestVersion, within2Seconds).toBe(2);
    await expect.poll(warnings, within2Seconds).toHaveLength(1);
    await hub.operator.fetch('/v1/scheduler/run', { method: 'POST' });
    const hasRun = () => hub.logLines().some((line) => line.monitoring_event === 'SCHEDULER_CLEANUP_SUCCESS');
    await expect.poll(hasRun, within2Seconds).toBe(true);
    expect(warnings()).toEqual([
      expect.objectContaining({
        level: 'warn',
        skill_name: 'triage',
        reason: expect.stringContaining('description: found 1025 characters'),
      }),
    ]);
  });

  test('that is deleted is removed within two seconds, together with its tool', async () => {
    await hub.operator.fetch('/v1/skills/triage/activate', { method: 'POST' });
    await rm(join(directory, 'triage'), { recursive: true });
    await expect.poll(async () => (await hub.operator.fetch('/v1/skills/triage')).status, within2Seconds).toBe(404);
    expect((await hub.operator.fetch('/v1/tools/hestia/skill_triage/call', { json: {} })).status).toBe(404);
  });

  test('that is deleted while the hub is stopped is removed at the next start', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'hestia-sync-'));
    const file = { skills: { directories: [directory] } };
    {
      await using first = await startTestHub({ folder, file });
      expect((await first.operator.fetch('/v1/skills/triage')).status).toBe(200);
    }
    await rm(join(directory, 'triage'), { recursive: true });
    {
      await using second = await startTestHub({ folder, file });
      expect((await second.operator.fetch('/v1/skills/triage')).status).toBe(404);
    }
    await rm(folder, { recursive: true });
  });

  test('is kept by a full pass if its folder name has another Unicode normal form', async () => {
    await writeSkill('caf\u0065\u0301', skillText('caf\u00e9'));
    await expect.poll(async () => (await skill('caf%C3%A9')).latestVersion, within2Seconds).toBe(1);
    await hub.operator.fetch('/v1/scheduler/run', { method: 'POST' });
    expect(await skill('caf%C3%A9')).toMatchObject({ latestVersion: 1 });
  });

  test('does not replace a skill of the same name that an agent published', async () => {
    const agent = await hub.key('billing-bot');
    await agent.fetch('/v1/skills/reports', {
      method: 'PUT',
      body: skillText('reports', 'Of the agent.'),
      headers: { 'content-type': 'text/markdown' },
    });
    await writeSkill('reports', skillText('reports', 'Of the directory.'));
    const report = () => hub.logLines().find((line) => String(line.message).includes('cannot be published'));
    await expect.poll(report, within2Seconds).toMatchObject({ skill_name: 'reports' });
    expect(await skill('reports')).toMatchObject({ source: 'published', description: 'Of the agent.' });
  });
});
