/** Activations whose tool cannot be registered, that expire, that cannot be written, or that outlive a restart. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from 'vitest';
import { skillToolName } from '../../src/shapes/skill.ts';
import { json, publishSkill, skillText, startTestHub, type TestHub } from '../support/hub/hub.ts';
import { untilConnected } from '../support/hub/hub-listening.ts';
import { supportServer } from '../support/servers/support-server.ts';

const withTools = { file: { mcpServers: { schemas: supportServer('schema-server.ts') } } };

const activate = (hub: TestHub, name: string, body?: object) =>
  hub.operator.fetch(`/v1/skills/${name}/activate`, { method: 'POST', ...(body && { json: body }) });
const deactivate = (hub: TestHub, name: string) =>
  hub.operator.fetch(`/v1/skills/${name}/deactivate`, { method: 'POST' });
const callSkill = (hub: TestHub, tool: string, args: object = {}) =>
  hub.operator.fetch(`/v1/tools/hestia/${tool}/call`, { json: { arguments: args } });

async function securityEvents(hub: TestHub): Promise<{ event: string; fields: Record<string, unknown> }[]> {
  const { items } = await json(hub.operator.fetch('/v1/audit/events?limit=200'));
  return items.filter(
    (item: { kind: string; event: string }) => item.kind === 'security' && item.event.startsWith('SKILL_'),
  );
}

/** A name outside of the specification's form: the name of its tool ends in a digest. */
const holderName = 'demo.taken';
const takenName = skillToolName(holderName).replace('skill_', '').replaceAll('_', '-');

/** A hub with an active skill whose tool has the name that the tool of `takenName` would have. */
async function withTakenName(): Promise<TestHub> {
  const hub = await startTestHub();
  await publishSkill(hub.operator, holderName);
  await publishSkill(hub.operator, takenName);
  expect(await json(activate(hub, holderName))).toMatchObject({ activation: { registered: true } });
  return hub;
}

describe('a skill whose tool name belongs to an upstream tool', () => {
  test('becomes a tool all the same, and each is called by its server', async () => {
    await using hub = await startTestHub(withTools);
    await untilConnected(hub, 'schemas');
    await publishSkill(hub.operator, 'triage');
    expect(await json(activate(hub, 'triage'))).toMatchObject({
      changed: true,
      activation: { registered: true, toolName: 'skill_triage' },
    });
    const { result } = await json(callSkill(hub, 'skill_triage'));
    expect(result.structuredContent).toMatchObject({ skill_name: 'triage' });
    const upstream = await json(hub.operator.fetch('/v1/tools/schemas/skill_triage/call', { json: { arguments: {} } }));
    expect(upstream.result.content[0].text).toMatch(/^accepted/);
  });
});

describe('a skill whose tool name belongs to the tool of another skill', () => {
  test('is activated without a tool, and the answer and the audit trail state it', async () => {
    await using hub = await withTakenName();
    const answer = await json(activate(hub, takenName));
    const toolName = skillToolName(takenName);
    expect(answer).toMatchObject({
      changed: true,
      errorType: 'tool_name_taken',
      activation: { registered: false, toolName },
    });
    expect((await json(callSkill(hub, toolName))).result.structuredContent).toMatchObject({ skill_name: holderName });
    expect((await json(hub.operator.fetch(`/v1/skills/${takenName}`))).activation).toMatchObject({ registered: false });
    expect((await securityEvents(hub)).at(-1)).toMatchObject({
      event: 'SKILL_ACTIVATION_REGISTRATION_FAILED',
      fields: {
        skill_name: takenName,
        tool_name: toolName,
        error_type: 'tool_name_taken',
        activation_id: answer.activation.activationId,
      },
    });
  });

  test('reports at deactivation that there was no tool to remove', async () => {
    await using hub = await withTakenName();
    await activate(hub, takenName);
    expect(await json(deactivate(hub, takenName))).toMatchObject({ changed: true, errorType: 'tool_not_registered' });
    expect((await securityEvents(hub)).at(-1)).toMatchObject({
      event: 'SKILL_DEACTIVATION_UNREGISTRATION_FAILED',
      fields: { error_type: 'tool_not_registered', duration_ms: expect.any(Number) },
    });
    expect(await json(deactivate(hub, takenName))).toEqual({ changed: false });
  });

  test('becomes a tool when it is activated again and the name is free', async () => {
    await using hub = await withTakenName();
    await activate(hub, takenName);
    await deactivate(hub, holderName);
    expect(await json(activate(hub, takenName))).toMatchObject({ changed: true, activation: { registered: true } });
    expect((await callSkill(hub, skillToolName(takenName))).status).toBe(200);
    expect((await securityEvents(hub)).map(({ event }) => event).slice(1)).toEqual([
      'SKILL_ACTIVATION_REGISTRATION_FAILED',
      'SKILL_DEACTIVATION_SUCCESS',
      'SKILL_ACTIVATION_SUCCESS',
    ]);
  });
});

describe('an expired activation before the next cleanup', () => {
  test('is replaced by a new one when the skill is activated again', async () => {
    await using hub = await startTestHub();
    await publishSkill(hub.operator, 'triage');
    const first = await json(activate(hub, 'triage', { ttlSeconds: 60 }));
    hub.advance(61_000);
    const again = await json(activate(hub, 'triage'));
    expect(again.changed).toBe(true);
    expect(again.activation.activationId).not.toBe(first.activation.activationId);
    expect((await callSkill(hub, 'skill_triage')).status).toBe(200);
    expect((await securityEvents(hub)).map(({ event }) => event)).toEqual([
      'SKILL_ACTIVATION_SUCCESS',
      'SKILL_ACTIVATION_EXPIRED',
      'SKILL_ACTIVATION_SUCCESS',
    ]);
  });

  test('has a tool that is neither found nor called, and the attempt is not an outcome', async () => {
    await using hub = await startTestHub();
    await publishSkill(hub.operator, 'triage');
    await activate(hub, 'triage', { ttlSeconds: 60 });
    hub.advance(61_000);
    expect((await callSkill(hub, 'skill_triage')).status).toBe(404);
    expect((await hub.operator.fetch('/v1/tools/hestia/skill_triage')).status).toBe(404);
    const found = await json(hub.operator.fetch('/v1/tools/search', { json: { query: 'triage', source: 'skill' } }));
    expect(found.results).toEqual([]);
    expect((await json(hub.operator.fetch('/v1/audit/events?event=TOOL_OUTCOME'))).items).toEqual([]);
  });
});

describe('an activation that cannot be written', () => {
  test('changes nothing: no tool, no event, and the next attempt works', async () => {
    await using hub = await startTestHub();
    await publishSkill(hub.operator, 'triage');
    const locker = new DatabaseSync(hub.config.databaseFile, { timeout: 5000 });
    locker.exec('BEGIN IMMEDIATE');
    const refused = await activate(hub, 'triage');
    locker.exec('ROLLBACK');
    locker.close();
    expect([refused.status, (await json(refused)).code]).toEqual([503, 'STORAGE_FAILED']);
    expect(refused.headers.get('retry-after')).toBe('5');
    expect((await callSkill(hub, 'skill_triage')).status).toBe(404);
    expect(await securityEvents(hub)).toEqual([]);
    expect(await json(activate(hub, 'triage'))).toMatchObject({ changed: true, activation: { registered: true } });
  });
});

describe('active skills', () => {
  test('are tools again after a restart, in the version that was active', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'hestia-restart-'));
    {
      await using first = await startTestHub({ folder });
      await publishSkill(first.operator, 'triage');
      await activate(first, 'triage');
      await publishSkill(first.operator, 'triage', skillText('triage', 'Newer.'));
    }
    {
      await using second = await startTestHub({ folder });
      const { result } = await json(callSkill(second, 'skill_triage'));
      expect(result.structuredContent).toMatchObject({ skill_name: 'triage', version: 1 });
    }
    await rm(folder, { recursive: true });
  });

  test('that are deleted are deactivated first, and both are recorded', async () => {
    await using hub = await startTestHub();
    await publishSkill(hub.operator, 'triage');
    await activate(hub, 'triage');
    await hub.operator.fetch('/v1/skills/triage', { method: 'DELETE' });
    expect((await callSkill(hub, 'skill_triage')).status).toBe(404);
    const { items } = await json(hub.operator.fetch('/v1/audit/events?limit=200'));
    expect(items.slice(-2).map((item: { event: string }) => item.event)).toEqual([
      'SKILL_DEACTIVATION_SUCCESS',
      'SKILL_DELETED',
    ]);
  });

  test('are consistent after concurrent activations and deactivations', async () => {
    await using hub = await startTestHub();
    await publishSkill(hub.operator, 'triage');
    await Promise.all(
      Array.from({ length: 20 }, (_, index) => (index % 2 === 0 ? activate(hub, 'triage') : deactivate(hub, 'triage'))),
    );
    const events = (await securityEvents(hub)).map(({ event }) => event);
    expect(events).toEqual(
      events.map((_, index) => (index % 2 === 0 ? 'SKILL_ACTIVATION_SUCCESS' : 'SKILL_DEACTIVATION_SUCCESS')),
    );
    const { activation } = await json(hub.operator.fetch('/v1/skills/triage'));
    expect((await callSkill(hub, 'skill_triage')).status).toBe(activation === undefined ? 404 : 200);
  });
});

describe("a skill's tool", () => {
  const files = { 'references/guide.md': '# The guide\n', 'scripts/run.sh': 'echo run\n' };
  const publish = (hub: TestHub) =>
    hub.operator.fetch('/v1/skills/triage', { method: 'PUT', json: { document: skillText('triage'), files } });

  test('returns instructions, arguments and the list of files, and each file on request', async () => {
    await using hub = await startTestHub();
    await publish(hub);
    await activate(hub, 'triage');
    const { result } = await json(callSkill(hub, 'skill_triage', { arguments: 'the outage of today' }));
    expect(result.content[0].text).toBe(
      'Do triage well.\n\nARGUMENTS: the outage of today\n\nFILES of this skill (call this tool again with `file` to read one):\n- references/guide.md (12 bytes)\n- scripts/run.sh (9 bytes)',
    );
    expect(result.structuredContent).toMatchObject({
      arguments: 'the outage of today',
      files: [
        { path: 'references/guide.md', bytes: 12 },
        { path: 'scripts/run.sh', bytes: 9 },
      ],
    });
    const file = await json(callSkill(hub, 'skill_triage', { file: 'references/guide.md' }));
    expect(file.result.content).toEqual([{ type: 'text', text: '# The guide\n' }]);
  });

  test('refuses a file that the skill does not have', async () => {
    await using hub = await startTestHub();
    await publish(hub);
    await activate(hub, 'triage');
    for (const file of ['../operator.key', '/etc/passwd', 'none.md']) {
      const response = await callSkill(hub, 'skill_triage', { file });
      expect([response.status, (await json(response)).code]).toEqual([422, 'INVALID_ARGUMENTS']);
    }
  });
});
