/** Events of screening: each of the first ones is recorded, the others are counted. */
import { trace } from '@opentelemetry/api';
import { describe, expect, test } from 'vitest';
import type { AuditedEvent } from '../../../src/domain/audit/entry.ts';
import { createScreeningEvents, recordedPerMinuteMax } from '../../../src/domain/screening/screening-events.ts';
import { hubCaller } from '../../../src/shapes/access.ts';
import { openRecorder } from '../../support/audit/recorder.ts';

function change(digest: string): AuditedEvent {
  const fields = { server_id: 'files', tool_name: 'read', digest };
  const event = { kind: 'security', name: 'TOOL_DEFINITION_CHANGED', failed: true, fields } as const;
  return { event, by: hubCaller, span: trace.getTracer('test').startSpan('tool.admit') };
}

const write = async () => undefined;

describe('a server that causes more events than are recorded in a minute', () => {
  test('has the others counted in one record, none lost, and further ones recorded in the next minute', async () => {
    await using store = await openRecorder();
    let time = 0;
    const events = createScreeningEvents(store.trail, () => time);
    const total = recordedPerMinuteMax + 50;
    for (let at = 0; at < total; at += 1) await events.commit('files', [change(`d${at}`)], write);
    await events.commit('other', [change('other')], write);
    await store.trail.refusals.flush();
    const records = await store.records();
    // The first that is too many is recorded at once, and those after it in a count.
    expect(records).toHaveLength(recordedPerMinuteMax + 1 + 1 + 1);
    expect(records.at(-1)).toMatchObject({ event: 'TOOL_DEFINITION_CHANGED', fields: { digest: 'd149', count: 49 } });
    const sum = records.reduce((count, { fields }) => count + Number(fields.count ?? 1), 0);
    expect(sum).toBe(total + 1);
    time += 60_000;
    await events.commit('files', [change('later')], write);
    expect((await store.records()).at(-1)).toMatchObject({ fields: { digest: 'later' } });
  });

  test('has what is written with them written all the same, and no event of a write that fails', async () => {
    await using store = await openRecorder();
    const events = createScreeningEvents(store.trail);
    let written = 0;
    const count = async () => {
      written += 1;
    };
    for (let at = 0; at < recordedPerMinuteMax + 5; at += 1) await events.commit('files', [change(`d${at}`)], count);
    expect(written).toBe(recordedPerMinuteMax + 5);
    const before = (await store.records()).length;
    const failing = () => Promise.reject(new Error('full'));
    await expect(events.commit('files', [change('lost')], failing)).rejects.toThrow('full');
    await store.trail.refusals.flush();
    const after = await store.records();
    expect(after.slice(before).map(({ fields }) => fields.count)).toEqual([4]);
  });
});
