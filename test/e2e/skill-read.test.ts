/** The signals of reading a skill as a resource: span, metric, log line and audit record agree. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { json, skillText } from '../support/hub/hub.ts';
import { type ObservedHub, startObservedHub } from '../support/hub/hub-observed.ts';
import { connectSkills } from '../support/hub/skills-client.ts';

let observed: ObservedHub;
beforeAll(async () => {
  observed = await startObservedHub({});
}, 60_000);
afterAll(() => observed?.[Symbol.asyncDispose]());

describe('a file of a skill that is read over MCP', () => {
  test('leaves a span, a metric, a log line and a record with the same ids and fields', async () => {
    const { hub, receiver } = observed;
    const published = await hub.fetch('/v1/skills/log-review', {
      method: 'PUT',
      json: { document: skillText('log-review') },
    });
    expect(published.ok).toBe(true);
    await using connected = await connectSkills(hub.url, { secret: hub.key() });
    const { skill } = await connected.skills.get('skill://log-review/SKILL.md');
    await connected.skills.read(skill);

    const { items } = await json(hub.fetch('/v1/audit/events?event=SKILL_READ'));
    expect(items).toHaveLength(1);
    const { trace_id: traceId, span_id: spanId, fields } = items[0];
    const span = await observed.span('skill.read', traceId);
    expect(span).toMatchObject({
      spanId,
      attributes: {
        security_event: 'SKILL_READ',
        'hestia.skill.name': 'log-review',
        'hestia.skill.version': 1,
        'hestia.server.id': 'hestia',
        'hestia.event.file': 'SKILL.md',
        'hestia.event.digest': fields.digest,
      },
    });
    const line = hub.logLines().find(({ security_event }) => security_event === 'SKILL_READ');
    const message = 'Security event: skill read: log-review version 1, agent operator';
    expect(line).toMatchObject({ ...fields, level: 'info', message, trace_id: traceId });
    await receiver.waitFor(() => observed.total('hestia.security.events', { security_event: 'SKILL_READ' }) === 1);
    await receiver.waitFor(
      () => observed.total('hestia.skill.operation.duration', { 'hestia.skill.operation': 'read' }) === 1,
    );
    expect(observed.total('hestia.audit.gap')).toBe(0);
  });
});
