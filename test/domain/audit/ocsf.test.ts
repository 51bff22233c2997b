/**
 * Records as OCSF 1.2.0 events, checked against the required fields of the two classes (github.com/ocsf/ocsf-schema, tag
 * v1.2.0: base_event with the classification and occurrence includes, api, authentication, and the objects they require).
 */
import { describe, expect, test } from 'vitest';
import { ocsfEvent, ocsfLines } from '../../../src/domain/audit/ocsf.ts';
import { leafHash } from '../../../src/journal/merkle-tree.ts';
import { recordLine } from '../../../src/journal/record-line.ts';
import type { AuditEntry } from '../../../src/shapes/audit.ts';

/** By object: the required fields, and the set of fields of which at least one is required. */
const required: Record<string, { fields: string[]; atLeastOne?: string[] }> = {
  base: { fields: ['activity_id', 'category_uid', 'class_uid', 'metadata', 'severity_id', 'time', 'type_uid'] },
  6003: { fields: ['actor', 'api', 'src_endpoint'] },
  3002: { fields: ['user'], atLeastOne: ['service', 'dst_endpoint'] },
  metadata: { fields: ['product', 'version'] },
  product: { fields: ['vendor_name'] },
  actor: { fields: [], atLeastOne: ['process', 'user', 'invoked_by', 'session', 'app_name', 'app_uid'] },
  user: { fields: [], atLeastOne: ['account', 'name', 'uid'] },
  api: { fields: ['operation'] },
  request: { fields: ['uid'] },
  src_endpoint: {
    fields: [],
    atLeastOne: ['ip', 'uid', 'name', 'hostname', 'svc_name', 'instance_uid', 'interface_uid', 'interface_name'],
  },
};
const enums: Record<string, number[]> = {
  severity_id: [0, 1, 2, 3, 4, 5, 6, 99],
  status_id: [0, 1, 2, 99],
  auth_protocol_id: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 99],
};
const activities: Record<string, number[]> = { 6003: [0, 1, 2, 3, 4, 99], 3002: [0, 1, 2, 3, 4, 5, 99] };

/** Missing fields and values outside of their enumeration, at any depth. */
function findings(value: Record<string, unknown>, kinds: string[]): string[] {
  const missing = kinds.flatMap((kind) => {
    const { fields, atLeastOne } = required[kind] ?? { fields: [] };
    const has = (field: string) => value[field] !== undefined;
    return [
      ...fields.filter((field) => !has(field)).map((field) => `${kind} lacks ${field}`),
      ...(atLeastOne === undefined || atLeastOne.some(has) ? [] : [`${kind} lacks all of ${atLeastOne}`]),
    ];
  });
  const inner = Object.entries(value).flatMap(([key, member]) =>
    typeof member === 'object' && member !== null && key !== 'unmapped' ? findings({ ...member }, [key]) : [],
  );
  const outside = Object.entries(enums).flatMap(([key, allowed]) =>
    value[key] === undefined || allowed.includes(Number(value[key])) ? [] : [`${key} is ${value[key]}`],
  );
  return [...missing, ...inner, ...outside];
}

function entryOf(change: Partial<AuditEntry>): AuditEntry {
  return {
    writer_id: 'writer_1',
    time: '2026-01-02T03:04:05.678Z',
    kind: 'tool_outcome',
    event: 'TOOL_OUTCOME',
    target: 'tool:everything/echo',
    outcome: 'success',
    agent_id: 'billing-bot',
    namespace: 'finance',
    key_id: 'key_1',
    trace_id: 'a'.repeat(32),
    span_id: 'b'.repeat(16),
    fields: { tool_name: 'echo' },
    ...change,
  };
}

function eventOf(change: Partial<AuditEntry>): Record<string, unknown> {
  const entry = entryOf(change);
  return { ...ocsfEvent({ ...entry, seq: 1 }, { line: recordLine(entry, 1), productVersion: '1.2.3' }) };
}

const cases: [string, Partial<AuditEntry>, { class_uid: number; activity_id: number; status_id: number }][] = [
  ['a tool call', {}, { class_uid: 6003, activity_id: 99, status_id: 1 }],
  [
    'a tool call that failed',
    { outcome: 'timeout', fields: { error_type: 'timeout' } },
    { class_uid: 6003, activity_id: 99, status_id: 2 },
  ],
  ['a new key', { kind: 'security', event: 'KEY_CREATED' }, { class_uid: 6003, activity_id: 1, status_id: 1 }],
  ['a revoked key', { kind: 'security', event: 'KEY_REVOKED' }, { class_uid: 6003, activity_id: 4, status_id: 1 }],
  ['a changed skill', { kind: 'security', event: 'SKILL_CHANGED' }, { class_uid: 6003, activity_id: 3, status_id: 1 }],
  [
    'a denied request',
    { kind: 'security', event: 'ACCESS_DENIED', outcome: 'error' },
    { class_uid: 6003, activity_id: 99, status_id: 2 },
  ],
  [
    'a refused key',
    { kind: 'security', event: 'AUTH_FAILED', outcome: 'error' },
    { class_uid: 3002, activity_id: 1, status_id: 2 },
  ],
];

describe('the OCSF export', () => {
  test.each(cases)('converts %s to an event with all fields that the schema requires', (_what, change, expected) => {
    const event = eventOf(change);
    expect(event).toMatchObject({ ...expected, type_uid: expected.class_uid * 100 + expected.activity_id });
    expect(event).toMatchObject({ category_uid: Math.floor(expected.class_uid / 1000), time: 1_767_323_045_678 });
    expect(findings(event, ['base', String(expected.class_uid)])).toEqual([]);
    expect(activities[expected.class_uid]).toContain(expected.activity_id);
  });

  test('is checked at any depth: a missing field and an unknown value are found', () => {
    const { metadata: _metadata, ...event } = eventOf({});
    expect(findings(event, ['base', '6003'])).toEqual(['base lacks metadata']);
    expect(findings({ ...eventOf({}), api: {} }, ['6003'])).toEqual(['api lacks operation']);
    expect(findings({ ...eventOf({}), severity_id: 7 }, [])).toEqual(['severity_id is 7']);
  });

  test('contains the records and no other lines of the trail', async () => {
    const lines = [1, 2, 3].map((seq) => recordLine(entryOf({}), seq));
    const pages = async function* () {
      yield ['{"type":"hestia.audit.export/2"}', ...lines];
      yield ['{"type":"hestia.audit.end/2"}'];
    };
    const events: string[] = [];
    for await (const page of ocsfLines(pages(), '1.2.3')) events.push(...page);
    const metadata = events.map((line) => JSON.parse(line).metadata);
    expect(metadata).toMatchObject(
      [1, 2, 3].map((sequence) => ({ sequence, uid: leafHash(lines[sequence - 1] ?? '').toString('hex') })),
    );
  });
});
