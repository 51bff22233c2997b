/** The row of a record in the views: the columns that its line is found by. Pure; the names get their numbers later. */
import { z } from 'zod';
import { type AuditRecord, auditRecordSchema } from '../../shapes/audit.ts';
import { parsedJson } from '../../shapes/json.ts';
import { type ToolOutcome, toolErrorTypeSchema, toolOutcomeSchema } from '../../shapes/tool.ts';

/** A tool outcome with the number of its record. `creditedSearchId` is the search that it taught something about. */
export interface RecordedOutcome {
  seq: number;
  outcome: ToolOutcome;
  creditedSearchId?: string;
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
  call: number;
  isCredited: boolean;
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

/** The fields of a tool outcome's record that the views read. A record without them is an event like any other. */
const callFieldsSchema = z.object({
  call_id: z.string(),
  server_id: z.string(),
  tool_name: z.string(),
  latency_ms: z.number().min(0),
  error_type: toolErrorTypeSchema.optional(),
  search_id: z.string().optional(),
  credited_search_id: z.string().optional(),
});

function callColumns({ kind, fields, outcome }: AuditRecord): CallColumns | undefined {
  if (kind !== 'tool_outcome') return undefined;
  const parsed = callFieldsSchema.safeParse(fields);
  if (!parsed.success) return undefined;
  const { latency_ms: latencyMs, call_id: callId, credited_search_id: credited } = parsed.data;
  return { outcome, latencyMs, call: callKey(callId), isCredited: credited !== undefined };
}

/** The outcome that a record of a tool outcome holds. @throws ZodError if it is of another kind */
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
  const { credited_search_id: creditedSearchId } = fields;
  return { seq, outcome, ...(creditedSearchId !== undefined && { creditedSearchId }) };
}
