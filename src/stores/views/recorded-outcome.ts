/** Outcomes that were credited to a search, as records of the views hold them. */
import { z } from 'zod';
import type { AuditRecord } from '../../shapes/audit.ts';
import { type ToolOutcome, toolErrorTypeSchema, toolOutcomeSchema } from '../../shapes/tool.ts';

/** A tool outcome, the number of its record, and the search that it was credited to. */
export interface RecordedOutcome {
  seq: number;
  outcome: ToolOutcome;
  creditedSearchId: string;
}

/** The fields of the record of an outcome that was credited to a search. view-row.ts marks the records that have them. */
const callFieldsSchema = z.object({
  call_id: z.string(),
  server_id: z.string(),
  tool_name: z.string(),
  latency_ms: z.number().min(0),
  error_type: toolErrorTypeSchema.optional(),
  search_id: z.string().optional(),
  credited_search_id: z.string(),
});

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
