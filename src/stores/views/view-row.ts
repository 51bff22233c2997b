/** The row of a record in the views: the columns that its line is found by. Pure; the names get their numbers later. */
import { z } from 'zod';
import { type AuditRecord, auditRecordSchema } from '../../shapes/audit.ts';
import { parsedJson } from '../../shapes/json.ts';
import { type ToolOutcome, toolErrorTypeSchema, toolOutcomeSchema } from '../../shapes/tool.ts';

/** A tool outcome, the number of its record, and the search that it was credited to. */
export interface RecordedOutcome {
  seq: number;
  outcome: ToolOutcome;
  creditedSearchId: string;
}

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
  /** The key of the call, if the outcome was credited to a search. */
  credited: number | undefined;
}

/** The columns of a line of the journal; undefined if it is not the valid record with this number. */
export function viewRowOf(line: string, seq: number): ViewRow | undefined {
  const parsed = auditRecordSchema.safeParse(parsedJson(line));
  if (!parsed.success || parsed.data.seq !== seq) return undefined;
  const record = parsed.data;
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

/** The first 48 bits of a call id, the time in its UUID; 0 for a text of another form. */
export function callKey(callId: string): number {
  const at = callId.indexOf('_') + 1;
  return hexadecimal(callId.slice(at, at + 8) + callId.slice(at + 9, at + 13));
}

function hexadecimal(text: string): number {
  return /^[0-9a-f]{12}$/.test(text) ? Number.parseInt(text, 16) : 0;
}

/** The fields of the record of an outcome that was credited to a search. A record without them teaches nothing. */
const callFieldsSchema = z.object({
  call_id: z.string(),
  server_id: z.string(),
  tool_name: z.string(),
  latency_ms: z.number().min(0),
  error_type: toolErrorTypeSchema.optional(),
  search_id: z.string().optional(),
  credited_search_id: z.string(),
});

// Most outcomes are not credited, and are not checked in full: the statistics need these two only.
function callColumns({ kind, fields, outcome }: AuditRecord): CallColumns | undefined {
  const { latency_ms: latencyMs, credited_search_id: creditedSearchId } = fields;
  if (kind !== 'tool_outcome' || typeof latencyMs !== 'number') return undefined;
  const credited = creditedSearchId === undefined ? undefined : callFieldsSchema.safeParse(fields).data;
  return { outcome, latencyMs, credited: credited && callKey(credited.call_id) };
}

/** The credited outcome that a record holds. @throws ZodError if it holds none */
export function recordedOutcome({ seq, time, ...record }: AuditRecord): RecordedOutcome {
  const fields = callFieldsSchema.parse(record.fields);
  const outcome: ToolOutcome = toolOutcomeSchema.parse({
    callId: fields.call_id,
    serverId: fields.server_id,
    toolName: fields.tool_name,
    agentId: record.agent_id,
    namespace: record.namespace,
    keyId: record.key_id,
    outcome: record.outcome,
    errorType: fields.error_type,
    latencyMs: fields.latency_ms,
    searchId: fields.search_id,
    recordedAt: Date.parse(time),
  });
  return { seq, outcome, creditedSearchId: fields.credited_search_id };
}
