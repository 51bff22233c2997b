import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { json, publishSkill, skillText, startTestHub, type TestHub } from '../../support/hub/hub.ts';

let hub: TestHub;
beforeEach(async () => {
  hub = await startTestHub();
});
afterEach(() => hub[Symbol.asyncDispose]());

async function auditEvents(event: string): Promise<Record<string, unknown>[]> {
  const page = await json(hub.operator.fetch(`/v1/audit/events?event=${event}`));
  return page.items;
}

describe('a published skill', () => {
  test('has version 1, and publishing the same content again changes nothing', async () => {
    const first = await publishSkill(hub.operator, 'log-review');
    const again = await publishSkill(hub.operator, 'log-review');
    expect(first.status).toBe(201);
    expect(again.status).toBe(200);
    expect(await json(again)).toMatchObject({ change: 'unchanged', skill: { latestVersion: 1 } });
  });

  test('gets a warning for a description over the limit, and none otherwise', async () => {
    const long = skillText('log-review', 'x'.repeat(1025));
    const warnings = [{ field: 'description', message: expect.stringContaining('found 1025 characters') }];
    expect(await json(publishSkill(hub.operator, 'log-review', long))).toMatchObject({ change: 'created', warnings });
    expect(await json(publishSkill(hub.operator, 'log-review', long))).toMatchObject({ change: 'unchanged', warnings });
    expect(await json(publishSkill(hub.operator, 'plain'))).not.toHaveProperty('warnings');
  });

  test('gets a new version for each change', async () => {
    await publishSkill(hub.operator, 'log-review');
    await publishSkill(hub.operator, 'log-review', skillText('log-review', 'Helps more.'));
    const versions = await json(hub.operator.fetch('/v1/skills/log-review/versions'));
    expect(versions.items.map((item: { version: number }) => item.version)).toEqual([1, 2]);
    const details = await json(hub.operator.fetch('/v1/skills/log-review'));
    expect(details).toMatchObject({ latestVersion: 2, description: 'Helps more.', source: 'published' });
  });

  test('may have text files beside the document', async () => {
    const files = { 'references/guide.md': '# Guide\n' };
    const response = await hub.operator.fetch('/v1/skills/with-files', {
      method: 'PUT',
      json: { document: skillText('with-files'), files },
    });
    expect(response.status).toBe(201);
    const details = await json(hub.operator.fetch('/v1/skills/with-files'));
    expect(details.files).toEqual([{ path: 'references/guide.md', encoding: 'utf-8' }]);
  });

  test('may have binary files, and text in base64 is text, so that it is scanned', async () => {
    const encoded = (content: string | Uint8Array) => ({
      content: Buffer.from(content).toString('base64'),
      encoding: 'base64',
    });
    const files = { 'a.bin': encoded(new Uint8Array([255, 0, 254])), 'b.md': encoded('# Text\n') };
    const response = await hub.operator.fetch('/v1/skills/with-files', {
      method: 'PUT',
      json: { document: skillText('with-files'), files },
    });
    expect(response.status).toBe(201);
    const details = await json(hub.operator.fetch('/v1/skills/with-files'));
    expect(details.files).toEqual([
      { path: 'a.bin', encoding: 'base64' },
      { path: 'b.md', encoding: 'utf-8' },
    ]);
  });

  test('is absent after its deletion, and its name is free again', async () => {
    await publishSkill(hub.operator, 'log-review');
    expect((await hub.operator.fetch('/v1/skills/log-review', { method: 'DELETE' })).status).toBe(204);
    expect((await hub.operator.fetch('/v1/skills/log-review')).status).toBe(404);
    expect((await publishSkill(hub.operator, 'log-review')).status).toBe(201);
  });

  test('is listed exactly once across pages', async () => {
    for (const name of ['a-one', 'b-two', 'c-three']) await publishSkill(hub.operator, name);
    const names: string[] = [];
    let cursor = '';
    do {
      const page = await json(hub.operator.fetch(`/v1/skills?limit=2${cursor && `&cursor=${cursor}`}`));
      names.push(...page.items.map((item: { name: string }) => item.name));
      cursor = page.nextCursor ?? '';
    } while (cursor !== '');
    expect(names).toEqual(['a-one', 'b-two', 'c-three']);
  });
});

describe('a skill that deviates from the specification', () => {
  const text = '---\nname: Other Name\ndescription: Use when: asked\nmodel: opus\nmetadata: {a: [1]}\n---\r\nText\n';
  const put = (owner: TestHub['operator'], name: string) =>
    owner.fetch(`/v1/skills/${name}`, { method: 'PUT', body: text, headers: { 'content-type': 'text/markdown' } });

  test('is published under the name in the path, with a warning each in the answer and on the skill', async () => {
    const answer = await json(put(hub.operator, 'log_review'));
    const fields = ['frontmatter', 'frontmatter', 'name', 'name', 'name', 'metadata.a'];
    expect(answer).toMatchObject({ change: 'created', skill: { name: 'log_review', description: 'Use when: asked' } });
    expect(answer.warnings.map(({ field }: { field: string }) => field)).toEqual(fields);
    const details = await json(hub.operator.fetch('/v1/skills/log_review'));
    expect(details.warnings).toEqual(answer.warnings);
    expect(details.frontmatter).toEqual({
      name: 'Other Name',
      description: 'Use when: asked',
      model: 'opus',
      metadata: { a: [1] },
    });
  });

  test('is refused with all deviations where skills.strict is true', async () => {
    await using strict = await startTestHub({ file: { skills: { strict: true } } });
    const refused = await put(strict.operator, 'log-review');
    const problem = await json(refused);
    expect([refused.status, problem.code, problem.violations.length]).toEqual([422, 'INVALID_SKILL', 6]);
    expect((await publishSkill(strict.operator, 'log-review')).status).toBe(201);
  });

  test.each(['.hidden', '-log', 'log review', '%00'])(
    'is refused under the name %j, which is no safe path',
    async (name) => {
      const response = await put(hub.operator, encodeURIComponent(name));
      expect([response.status, (await json(response)).violations]).toEqual([
        422,
        [{ field: 'name', message: expect.stringContaining('letters, digits') }],
      ]);
    },
  );
});

describe('a version of a skill', () => {
  test('can be read with its SKILL.md as it was published, and compared', async () => {
    const first = `\ufeff${skillText('log-review').replaceAll('\n', '\r\n')}`;
    await publishSkill(hub.operator, 'log-review', first);
    await publishSkill(hub.operator, 'log-review', skillText('log-review', 'Helps more.'));
    const [one, two] = await Promise.all(
      [1, 2].map((n) => json(hub.operator.fetch(`/v1/skills/log-review/versions/${n}`))),
    );
    expect(one).toMatchObject({ version: 1, name: 'log-review', document: first, files: [], warnings: [] });
    expect(two).toMatchObject({ version: 2, description: 'Helps more.' });
    expect(one.digest).not.toBe(two.digest);
    for (const [version, status] of [
      ['3', 404],
      ['0', 400],
      ['x', 400],
    ])
      expect((await hub.operator.fetch(`/v1/skills/log-review/versions/${version}`)).status).toBe(status);
  });

  test('can be activated again after a later one', async () => {
    await publishSkill(hub.operator, 'log-review');
    await publishSkill(hub.operator, 'log-review', skillText('log-review', 'Helps more.'));
    const activate = (body: object) => hub.operator.fetch('/v1/skills/log-review/activate', { json: body });
    expect(await json(activate({}))).toMatchObject({ changed: true, activation: { version: 2 } });
    expect(await json(activate({ version: 1 }))).toMatchObject({ changed: true, activation: { version: 1 } });
    expect(await json(activate({ version: 1 }))).toMatchObject({ changed: false });
    const call = await json(hub.operator.fetch('/v1/tools/hestia/skill_log_review/call', { json: {} }));
    expect(call.result.structuredContent.version).toBe(1);
    expect((await activate({ version: 3 })).status).toBe(404);
    expect((await activate({ version: 0 })).status).toBe(400);
  });

  test('of another namespace is absent', async () => {
    await publishSkill(await hub.key('owner', 'agent', 'red'), 'log-review');
    const stranger = await hub.key('stranger', 'agent', 'blue');
    expect((await stranger.fetch('/v1/skills/log-review/versions/1?namespace=red')).status).toBe(404);
  });
});

describe('an invalid skill', () => {
  test.each([
    ['no frontmatter', 'just text', 422, ''],
    ['no description', '---\nname: log-review\n---\nText\n', 422, 'description'],
    ['YAML without a description that can be read', '---\nname: [\n---\nText\n', 422, 'description'],
  ])('is refused for %s, with the violation named', async (_reason, text, status, field) => {
    const response = await hub.operator.fetch('/v1/skills/log-review', {
      method: 'PUT',
      body: text,
      headers: { 'content-type': 'text/markdown' },
    });
    expect(response.status).toBe(status);
    expect(response.headers.get('content-type')).toBe('application/problem+json');
    const problem = await json(response);
    expect(problem.code).toBe('INVALID_SKILL');
    expect(problem.violations.map((violation: { field: string }) => violation.field).join(' ')).toContain(field);
    expect((await hub.operator.fetch('/v1/skills/log-review')).status).toBe(404);
  });

  test('is refused over 1 MiB, and if it is not UTF-8', async () => {
    const send = (body: string | Uint8Array<ArrayBuffer>) =>
      hub.operator.fetch('/v1/skills/log-review', {
        method: 'PUT',
        body,
        headers: { 'content-type': 'text/markdown' },
      });
    const oversized = await send(skillText('log-review', 'Big.', 'x'.repeat(1_048_577)));
    expect([oversized.status, (await json(oversized)).code]).toEqual([413, 'PAYLOAD_TOO_LARGE']);
    const broken = await send(new Uint8Array([...new TextEncoder().encode(skillText('log-review')), 0xff, 0xfe]));
    expect([broken.status, (await json(broken)).code]).toEqual([422, 'INVALID_SKILL']);
  });

  test.each([
    ['JSON that does not parse', '{', 'INVALID_REQUEST'],
    ['JSON without a document', '{"files":{}}', 'INVALID_REQUEST'],
    [
      'a file outside its folder',
      JSON.stringify({ document: skillText('log-review'), files: { '../x': '' } }),
      'INVALID_REQUEST',
    ],
    ['an unknown key', JSON.stringify({ document: skillText('log-review'), owner: 'me' }), 'INVALID_REQUEST'],
  ])('is refused as %s', async (_what, body, code) => {
    const headers = { 'content-type': 'application/json' };
    const response = await hub.operator.fetch('/v1/skills/log-review', { method: 'PUT', body, headers });
    expect([response.status, (await json(response)).code]).toEqual([400, code]);
  });

  test('is refused with another content type', async () => {
    const response = await hub.operator.fetch('/v1/skills/log-review', {
      method: 'PUT',
      body: 'x',
      headers: { 'content-type': 'text/html' },
    });
    expect([response.status, (await json(response)).code]).toEqual([415, 'UNSUPPORTED_MEDIA_TYPE']);
  });
});

describe('an activation', () => {
  test('emits one security event with every field, in the audit trail and in the log with the same ids', async () => {
    await publishSkill(hub.operator, 'log-review');
    const answer = await json(hub.operator.fetch('/v1/skills/log-review/activate', { json: { ttlSeconds: 60 } }));
    expect(answer).toMatchObject({
      changed: true,
      activation: { toolName: 'skill_log_review', registered: true, version: 1 },
    });
    const [record] = await auditEvents('SKILL_ACTIVATION_SUCCESS');
    expect(record?.fields).toEqual({
      skill_id: expect.stringMatching(/^skl_/),
      skill_name: 'log-review',
      tool_name: 'skill_log_review',
      agent_id: 'operator',
      namespace: 'default',
      version: 1,
      activation_id: answer.activation.activationId,
    });
    await expect
      .poll(() => hub.logLines().filter((line) => line.security_event === 'SKILL_ACTIVATION_SUCCESS'))
      .toHaveLength(1);
    const line = hub.logLines().find((candidate) => candidate.security_event === 'SKILL_ACTIVATION_SUCCESS');
    expect(line).toMatchObject({ trace_id: record?.trace_id, span_id: record?.span_id, ...Object(record?.fields) });
  });

  test('changes and emits nothing when it is repeated', async () => {
    await publishSkill(hub.operator, 'log-review');
    const first = await json(hub.operator.fetch('/v1/skills/log-review/activate', { method: 'POST' }));
    const again = await json(hub.operator.fetch('/v1/skills/log-review/activate', { method: 'POST' }));
    expect(again).toEqual({ changed: false, activation: first.activation });
    expect(await auditEvents('SKILL_ACTIVATION_SUCCESS')).toHaveLength(1);
  });

  test('keeps its version when a new one is published, and SKILL_CHANGED names both', async () => {
    await publishSkill(hub.operator, 'log-review');
    await hub.operator.fetch('/v1/skills/log-review/activate', { method: 'POST' });
    await publishSkill(hub.operator, 'log-review', skillText('log-review', 'New.', 'New instructions.'));
    const call = () => hub.operator.fetch('/v1/tools/hestia/skill_log_review/call', { json: {} });
    expect((await json(call())).result.structuredContent.version).toBe(1);
    expect(await auditEvents('SKILL_CHANGED')).toMatchObject([{ fields: { version: 2, active_version: 1 } }]);
    await hub.operator.fetch('/v1/skills/log-review/activate', { method: 'POST' });
    expect((await json(call())).result.structuredContent).toMatchObject({
      version: 2,
      instructions: expect.stringContaining('New instructions.'),
    });
  });

  test('expires after its time to live: the tool is absent at once, and the cleanup emits the event', async () => {
    await publishSkill(hub.operator, 'log-review');
    await hub.operator.fetch('/v1/skills/log-review/activate', { json: { ttlSeconds: 60 } });
    hub.advance(61_000);
    expect((await hub.operator.fetch('/v1/tools/hestia/skill_log_review/call', { json: {} })).status).toBe(404);
    const report = await json(hub.operator.fetch('/v1/scheduler/run', { method: 'POST' }));
    const [record] = await auditEvents('SKILL_ACTIVATION_EXPIRED');
    expect(record?.fields).toMatchObject({
      skill_name: 'log-review',
      agent_id: 'operator',
      duration_ms: expect.any(Number),
    });
    expect(report.deletedCount + (await auditEvents('SKILL_ACTIVATION_EXPIRED')).length).toBeGreaterThan(0);
  });

  test.each(['0', '1.5', '"60"', '31536001'])('is refused with a ttlSeconds of %s', async (ttl) => {
    await publishSkill(hub.operator, 'log-review');
    const response = await hub.operator.fetch('/v1/skills/log-review/activate', {
      method: 'POST',
      body: `{"ttlSeconds":${ttl}}`,
      headers: { 'content-type': 'application/json' },
    });
    const problem = await json(response);
    expect([response.status, problem.code]).toEqual([400, 'INVALID_REQUEST']);
    expect(problem.detail).toContain('ttlSeconds');
  });
});

describe('a deactivation', () => {
  test('removes the tool and returns how long it was active', async () => {
    await publishSkill(hub.operator, 'log-review');
    await hub.operator.fetch('/v1/skills/log-review/activate', { method: 'POST' });
    hub.advance(5000);
    const answer = await json(hub.operator.fetch('/v1/skills/log-review/deactivate', { method: 'POST' }));
    expect(answer.changed).toBe(true);
    expect(answer.durationMs).toBeGreaterThanOrEqual(5000);
    const [record] = await auditEvents('SKILL_DEACTIVATION_SUCCESS');
    expect(record?.fields).toMatchObject({
      skill_name: 'log-review',
      tool_name: 'skill_log_review',
      version: 1,
      duration_ms: answer.durationMs,
    });
    expect((await hub.operator.fetch('/v1/tools/hestia/skill_log_review/call', { json: {} })).status).toBe(404);
  });

  test('of an inactive skill changes nothing', async () => {
    await publishSkill(hub.operator, 'log-review');
    const answer = await json(hub.operator.fetch('/v1/skills/log-review/deactivate', { method: 'POST' }));
    expect(answer).toEqual({ changed: false });
    expect(await auditEvents('SKILL_DEACTIVATION_SUCCESS')).toEqual([]);
  });
});

describe('a skill of another agent', () => {
  test('can be read but not activated, changed or deleted; the first denial is recorded, and repeats are counted', async () => {
    const owner = await hub.key('owner');
    const other = await hub.key('other');
    await publishSkill(owner, 'log-review');
    expect((await other.fetch('/v1/skills/log-review')).status).toBe(200);
    const refusals = [
      await other.fetch('/v1/skills/log-review/activate', { method: 'POST' }),
      await other.fetch('/v1/skills/log-review/deactivate', { method: 'POST' }),
      await other.fetch('/v1/skills/log-review', { method: 'DELETE' }),
      await other.fetch('/v1/skills/log-review', {
        method: 'PUT',
        body: skillText('log-review', 'Mine.'),
        headers: { 'content-type': 'text/markdown' },
      }),
    ];
    expect(refusals.map((response) => response.status)).toEqual([403, 403, 403, 403]);
    expect(await auditEvents('ACCESS_DENIED')).toHaveLength(1);
    expect((await owner.fetch('/v1/skills/log-review/activate', { method: 'POST' })).status).toBe(200);
  });

  test('is absent for an agent that names its namespace, and found by auditors and operators', async () => {
    await publishSkill(await hub.key('owner', 'agent', 'red'), 'log-review');
    const stranger = await hub.key('stranger', 'agent', 'blue');
    for (const [method, path] of [
      ['GET', ''],
      ['GET', '/versions'],
      ['POST', '/activate'],
      ['POST', '/deactivate'],
      ['DELETE', ''],
    ] as const) {
      const response = await stranger.fetch(`/v1/skills/log-review${path}?namespace=red`, { method });
      expect([method, path, response.status]).toEqual([method, path, 404]);
    }
    expect((await json(stranger.fetch('/v1/skills?namespace=red'))).items).toEqual([]);
    const auditor = await hub.key('auditor', 'auditor', 'blue');
    expect((await auditor.fetch('/v1/skills/log-review?namespace=red')).status).toBe(200);
    expect((await json(auditor.fetch('/v1/skills?namespace=red'))).items).toHaveLength(1);
    expect((await hub.operator.fetch('/v1/skills/log-review/activate?namespace=red', { method: 'POST' })).status).toBe(
      200,
    );
  });

  test('in another namespace answers exactly like one that does not exist', async () => {
    const owner = await hub.key('owner', 'agent', 'red');
    const other = await hub.key('other', 'agent', 'blue');
    await publishSkill(owner, 'log-review');
    for (const [method, path] of [
      ['GET', ''],
      ['GET', '/versions'],
      ['POST', '/activate'],
      ['POST', '/deactivate'],
      ['DELETE', ''],
    ] as const) {
      const foreign = await other.fetch(`/v1/skills/log-review${path}`, { method });
      const absent = await other.fetch(`/v1/skills/no-such-skill${path}`, { method });
      expect([foreign.status, await foreign.text()]).toEqual([absent.status, await absent.text()]);
      expect(foreign.status).toBe(404);
    }
  });
});
