/** docs/reference.md and the code: every span, and every event of a hub that is used, is described with its fields. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { filePaths } from '../../support/architecture/source.ts';
import { json, publishSkill, startTestHub, type TestHub } from '../../support/hub/hub.ts';
import { eventEntries } from './events.ts';
import { documentedSpans } from './spans.ts';

const sourceFolder = fileURLToPath(new URL('../../../src', import.meta.url));

describe('the reference', () => {
  test('lists every span that the source opens by a literal name', () => {
    const opened = filePaths(sourceFolder).flatMap((path) => {
      const text = readFileSync(join(sourceFolder, path), 'utf8');
      return [...text.matchAll(/\b(?:inSpan|inActiveSpan|openSpan)\(\s*'([^']+)'/g)].map(([, name]) => name);
    });
    expect(opened.length).toBeGreaterThan(5);
    expect(documentedSpans).toEqual(expect.arrayContaining(opened));
  });
});

describe('the audit records of a hub that was used', () => {
  let hub: TestHub;
  beforeAll(async () => {
    hub = await startTestHub();
    await publishSkill(hub.operator, 'triage');
    await hub.operator.fetch('/v1/skills/triage/activate', { method: 'POST' });
    await hub.operator.fetch('/v1/tools/hestia/skill_triage/call', { json: {} });
    await hub.operator.fetch('/v1/skills/triage/deactivate', { method: 'POST' });
    await hub.operator.fetch('/v1/skills/triage', { method: 'DELETE' });
    await hub.operator.fetch('/v1/scheduler/run', { method: 'POST' });
    await (await hub.key('agent-1')).fetch('/v1/keys');
    await hub.fetch('/v1/skills');
  });
  afterAll(() => hub[Symbol.asyncDispose]());

  test('have only events and fields that the reference describes', async () => {
    const { items } = await json(hub.operator.fetch('/v1/audit/events?limit=200'));
    const events = items.map(({ event }: { event: string }) => event);
    const expected = [
      'TOOL_OUTCOME',
      'SKILL_ACTIVATION_SUCCESS',
      'ACCESS_DENIED',
      'AUTH_FAILED',
      'CONFIGURATION_LOADED',
    ];
    expect(events).toEqual(expect.arrayContaining(expected));
    for (const { event, fields } of items) {
      expect(eventEntries[event]?.fields, event).toEqual(expect.arrayContaining(Object.keys(fields)));
    }
  });
});
