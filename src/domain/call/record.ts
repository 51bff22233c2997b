/** Records a finished call in one append; `policy.auditMode` decides what a failed write changes. */
import type { Span } from '@opentelemetry/api';
import type { Caller } from '../../shapes/access.ts';
import { HestiaError } from '../../shapes/error.ts';
import type { EventFields, Outcome } from '../../shapes/event.ts';
import { newId } from '../../shapes/id.ts';
import { hubServerId } from '../../shapes/server.ts';
import type { ToolCallRequest, ToolErrorType, ToolOutcome, ToolResult } from '../../shapes/tool.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import { attributes, spanEventNames } from '../../telemetry/names.ts';
import { failSpan } from '../../telemetry/span.ts';
import type { ContentDigest } from '../audit/digest.ts';
import type { AuditTrail } from '../audit/trail.ts';
import type { SearchLearning } from '../search/learning.ts';

/** Dependencies of {@link recordCall}. */
export interface ToolCallRecordDeps {
  searchLearning: SearchLearning;
  trail: AuditTrail;
  contentDigest: ContentDigest;
  metrics: Metrics;
  now: () => number;
}

/** A finished call; `result` is undefined where the tool returned none. */
export interface FinishedCall {
  caller: Caller;
  request: ToolCallRequest;
  /** The keyed digest of its arguments. */
  argumentsDigest: string | undefined;
  outcome: Outcome;
  errorType: ToolErrorType | undefined;
  result: ToolResult | undefined;
  latencyMs: number;
  /** Whether the deadline was the caller's and shorter than the default. */
  isOwnDeadline: boolean;
  /** Whether the arguments did not fit the schema of the tool, and were left to the server. */
  areArgumentsDoubtful: boolean;
  span: Span;
}

/**
 * Appends the audit record of the outcome, and reports the metrics. Unless records are required, a record that cannot be
 * written does not change the result for the caller.
 * @throws HestiaError STORAGE_FAILED where records are required and this one could not be written
 */
export async function recordCall(deps: ToolCallRecordDeps, call: FinishedCall): Promise<ToolOutcome> {
  const { caller, argumentsDigest, span, result } = call;
  const outcome = toolOutcome(call, deps.now());
  const { serverId, toolName, errorType } = outcome;
  if (errorType !== undefined) failSpan(span, errorType);
  const credit = await deps.searchLearning.credit(outcome, call);
  const fields = outcomeFields(outcome, credit?.lesson.searchId);
  const isRecorded = await deps.trail.record({
    event: { kind: 'tool_outcome', outcome: outcome.outcome, fields },
    by: caller,
    span,
    digests: { arguments: argumentsDigest, result: result && deps.contentDigest(result) },
  });
  span.addEvent(spanEventNames.outcomeRecord, { [attributes.outcome]: outcome.outcome });
  if (isRecorded && credit !== undefined) deps.searchLearning.learn(credit);
  deps.metrics.toolOutcome(outcome.outcome, serverId, toolName);
  if (serverId !== hubServerId) {
    deps.metrics.mcpClientOperation(outcome.latencyMs / 1000, { method: 'tools/call', toolName, serverId, errorType });
  }
  if (!isRecorded && deps.trail.isRequired) throw unrecorded(outcome);
  return outcome;
}

/** The error states that the tool was called, so that the caller does not repeat the call unawares. */
function unrecorded({ outcome }: ToolOutcome): HestiaError {
  return new HestiaError(
    'STORAGE_FAILED',
    `the tool was called and its outcome was "${outcome}", but the audit record that policy.auditMode requires could not be written: the result is withheld, and a further call may repeat what this one did`,
  );
}

function toolOutcome(
  { caller, request, outcome, errorType, latencyMs }: FinishedCall,
  recordedAt: number,
): ToolOutcome {
  const { agentId, namespace, keyId } = caller;
  return {
    callId: newId('call'),
    serverId: request.serverId,
    toolName: request.toolName,
    agentId,
    namespace,
    keyId,
    outcome,
    latencyMs: Math.round(latencyMs * 1000) / 1000,
    recordedAt,
    ...(errorType !== undefined && { errorType }),
    ...(request.searchId !== undefined && { searchId: request.searchId }),
  };
}

function outcomeFields(outcome: ToolOutcome, creditedSearchId: string | undefined): EventFields {
  // In the order of the record's canonical form, in which they need no sorting.
  return {
    agent_id: outcome.agentId,
    call_id: outcome.callId,
    credited_search_id: creditedSearchId,
    error_type: outcome.errorType,
    latency_ms: outcome.latencyMs,
    namespace: outcome.namespace,
    outcome: outcome.outcome,
    search_id: outcome.searchId,
    server_id: outcome.serverId,
    tool_name: outcome.toolName,
  };
}
