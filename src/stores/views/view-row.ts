/**
 * The row of a record in the views: the columns that its line is found by. Pure; the names get their numbers later.
 * The checks are written out, since loading a schema library took most of the start of the projector's thread. What they accept,
 * the schemas of records and outcomes accept, too.
 */
import type { AuditRecord } from '../../shapes/audit.ts';
import { outcomes, recordKinds, toolErrorTypes } from '../../shapes/audit-log/record-values.ts';

/** The columns of a valid record. Texts that become numbers of `names` are still texts. */
export interface ViewRow {
  time: number;
  event: string;
  agent: string;
  target: string;
  namespace: string;
  trace: number;
  /** Of a tool outcome. */
  call: CallColumns | undefined;
}

interface CallColumns {
  outcome: string;
  latencyMs: number;
  /** The keys of the call and of the search that its outcome was credited to, if it was to one. */
  credited: { call: number; search: number } | undefined;
}

/** The columns of a line of the journal; undefined if it is not the valid record with this number. */
export function viewRowOf(line: string, seq: number): ViewRow | undefined {
  const record = recordOf(line);
  if (record === undefined || record.seq !== seq) return undefined;
  return {
    time: Date.parse(record.time),
    event: record.event,
    agent: record.agent_id,
    target: record.target,
    namespace: record.namespace,
    trace: traceKey(record.trace_id),
    call: callColumns(record),
  };
}

/** The first 48 bits of a trace id in hexadecimal; 0 for a text of another form. */
export function traceKey(traceId: string): number {
  return hexadecimal(traceId.slice(0, 12));
}

/** The first 48 bits of the id of a call or search, the time in its UUID; 0 for a text of another form. */
export function idKey(id: string): number {
  const at = id.indexOf('_') + 1;
  return hexadecimal(id.slice(at, at + 8) + id.slice(at + 9, at + 13));
}

function hexadecimal(text: string): number {
  return /^[0-9a-f]{12}$/.test(text) ? Number.parseInt(text, 16) : 0;
}

// Most outcomes are not credited, and are not checked in full: the statistics need these two only.
function callColumns({ kind, fields, outcome }: AuditRecord): CallColumns | undefined {
  const { latency_ms: latencyMs, credited_search_id: creditedSearchId, call_id: callId } = fields;
  if (kind !== 'tool_outcome' || typeof latencyMs !== 'number') return undefined;
  const isCredited = creditedSearchId !== undefined && passes(fields, creditedCallChecks);
  const keys = isCredited && isText(callId) && isText(creditedSearchId);
  return { outcome, latencyMs, credited: keys ? { call: idKey(callId), search: idKey(creditedSearchId) } : undefined };
}

/** A check of the value of a member, which is undefined if the member is missing. */
type Check = (value: unknown) => boolean;
type Checks = ReadonlyMap<string, Check>;

const isText = (value: unknown): value is string => typeof value === 'string';
const isPositiveInteger: Check = (value) => Number.isSafeInteger(value) && Number(value) >= 1;
const isDigest: Check = (value) => isText(value) && /^[0-9a-f]{64}$/.test(value);
const isFieldValue: Check = (value) => isText(value) || typeof value === 'boolean' || Number.isFinite(value);
const isFields: Check = (value) => isObject(value) && Object.values(value).every(isFieldValue);
const isOptional = (check: Check): Check => {
  return (value) => value === undefined || check(value);
};
const isOneOf = (values: readonly string[]): Check => {
  const known = new Set<unknown>(values);
  return (value) => known.has(value);
};

/** The members of `auditRecordSchema`. */
const recordChecks: Checks = new Map<string, Check>([
  ['seq', isPositiveInteger],
  ['writer_id', isText],
  ['time', isTime],
  ['kind', isOneOf(recordKinds)],
  ['event', isText],
  ['target', isText],
  ['outcome', isOneOf(outcomes)],
  ['agent_id', isText],
  ['namespace', isText],
  ['key_id', isText],
  ['trace_id', isText],
  ['span_id', isText],
  ['fields', isFields],
  ['arguments_digest', isOptional(isDigest)],
  ['result_digest', isOptional(isDigest)],
  ['record_id', isOptional(isText)],
  ['imported', isOptional((value) => isObject(value) && hasOnly(value, importedChecks))],
]);
const importedChecks: Checks = new Map<string, Check>([
  ['seq', isPositiveInteger],
  ['hash', isDigest],
]);
/** The fields that `callFieldsSchema` of recorded-outcome.ts demands; others are allowed. */
const creditedCallChecks: Checks = new Map<string, Check>([
  ['call_id', isText],
  ['server_id', isText],
  ['tool_name', isText],
  ['latency_ms', (value) => Number(value) >= 0],
  ['error_type', isOptional(isOneOf(toolErrorTypes))],
  ['search_id', isOptional(isText)],
  ['credited_search_id', isText],
]);

function recordOf(line: string): AuditRecord | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is AuditRecord {
  return isObject(value) && hasOnly(value, recordChecks);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Whether each member of `checks` passes, and there is no other one. */
function hasOnly(value: Record<string, unknown>, checks: Checks): boolean {
  return passes(value, checks) && Object.keys(value).every((name) => checks.has(name));
}

function passes(value: Record<string, unknown>, checks: Checks): boolean {
  for (const [name, check] of checks) if (!check(Object.hasOwn(value, name) ? value[name] : undefined)) return false;
  return true;
}

/** Whether a text is a time in the form of `Date.toISOString`, of which the milliseconds may be missing. */
function isTime(value: unknown): boolean {
  if (!isText(value)) return false;
  const ms = Date.parse(value);
  return (
    !Number.isNaN(ms) && new Date(ms).toISOString() === (value.length === 20 ? value.replace('Z', '.000Z') : value)
  );
}
