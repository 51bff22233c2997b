/**
 * One tool call from request to record: find the tool, check the arguments, call under a deadline, name the outcome,
 * write it durably with its audit record, and only then answer. A failure to record never changes the tool's result.
 */
import { SpanKind } from '@opentelemetry/api';
import type { ToolIndex } from '../search-index/tool-index.ts';
import type { Caller } from '../shapes/access.ts';
import { HestiaError, notFound } from '../shapes/error.ts';
import type { Outcome } from '../shapes/event.ts';
import { hubServerId } from '../shapes/server.ts';
import { skillToolArgumentsSchema } from '../shapes/skill.ts';
import type {
  ToolCallAnswer,
  ToolCallRequest,
  ToolDefinition,
  ToolErrorType,
  ToolProgress,
  ToolResult,
} from '../shapes/tool.ts';
import type { OutcomeStore } from '../stores/outcome-store.ts';
import { redactedContent } from '../telemetry/content.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { attributes } from '../telemetry/names.ts';
import { outgoingMeta } from '../telemetry/propagation.ts';
import { inSpan } from '../telemetry/span.ts';
import type { ConnectionPool } from '../upstream/connection-pool.ts';
import type { AccessGuard } from './access/guard.ts';
import type { ContentDigest } from './audit/digest.ts';
import type { AuditTrail } from './audit/trail.ts';
import { type ConcurrencyLimits, createConcurrencyLimit } from './call/concurrency-limit.ts';
import { type CallDeadline, openDeadline } from './call/deadline.ts';
import { type CallFailure, callError, classifyFailure } from './call/failure.ts';
import { recordCall } from './call/record.ts';
import type { SchemaCheck } from './call/schema.ts';
import type { SearchLearning } from './search/learning.ts';
import { type SkillTools, skillToolResult } from './skill-tools.ts';

/** What a door gives besides the request. */
export interface CallOptions {
  /** Aborts when the caller goes away or cancels. */
  signal: AbortSignal;
  onProgress?: ((progress: ToolProgress) => void) | undefined;
}

/** Tool calls. */
export interface ToolCall {
  /**
   * Calls a tool of an upstream server, or of an active skill under the server id `hestia`.
   * @throws HestiaError NOT_FOUND, FORBIDDEN, INVALID_ARGUMENTS, INVALID_TOOL_SCHEMA, SERVER_UNAVAILABLE, UPSTREAM_FAILED,
   *   RESPONSE_TOO_LARGE, TIMEOUT, ABANDONED, SHUTTING_DOWN, OVERLOADED. Where a tool was found that may be called, its outcome is
   *   on record first.
   */
  call(caller: Caller, request: ToolCallRequest, options: CallOptions): Promise<ToolCallAnswer>;
  /** Calls under way. */
  running(): number;
  /** Refuses new calls, waits for running ones at most `drainMs`, then cancels what is left and waits for its record. */
  drain(drainMs: number): Promise<void>;
}

/** What tool calls are made of. `limits` are milliseconds. */
export interface ToolCallDeps {
  pool: ConnectionPool;
  toolIndex: ToolIndex;
  skillTools: SkillTools;
  outcomeStore: OutcomeStore;
  searchLearning: SearchLearning;
  trail: AuditTrail;
  contentDigest: ContentDigest;
  guard: AccessGuard;
  metrics: Metrics;
  schemaCheck: SchemaCheck;
  limits: { callTimeoutMs: number; callTimeoutMsMax: number } & ConcurrencyLimits;
  captureContent: boolean;
  now: () => number;
}

/** How a call ended, before it is written. */
type Ending = { result: ToolResult; outcome: Outcome; errorType: ToolErrorType | undefined } | { failure: CallFailure };

/** The end of the hub: calls are cancelled when `signal` aborts, which is some time after it has begun. */
interface HubEnding {
  signal: AbortSignal;
  hasBegun: () => boolean;
}

/** Makes the service. */
export function createToolCall(deps: ToolCallDeps): ToolCall {
  const running = new Set<Promise<unknown>>();
  const shutdown = new AbortController();
  let draining = false;
  const admission = createConcurrencyLimit(deps.limits);
  const ending: HubEnding = { signal: shutdown.signal, hasBegun: () => draining };
  return {
    running: () => running.size,
    call: async (caller, request, options) => {
      if (draining) throw new HestiaError('SHUTTING_DOWN', 'the hub is shutting down; no new calls are taken');
      using _place = admission.enter(request.serverId);
      const work = observeCall(deps, caller, request, options, ending);
      running.add(work);
      try {
        return await work;
      } finally {
        running.delete(work);
      }
    },
    drain: async (drainMs) => {
      draining = true;
      const timer = setTimeout(() => shutdown.abort(), drainMs);
      await Promise.allSettled(running);
      clearTimeout(timer);
    },
  };
}

async function observeCall(
  deps: ToolCallDeps,
  caller: Caller,
  request: ToolCallRequest,
  options: CallOptions,
  hubEnding: HubEnding,
): Promise<ToolCallAnswer> {
  const timeoutMs = checkedTimeout(deps, request.timeoutMs);
  await deps.guard.require(caller, 'tool.call');
  const tool = findCallableTool(deps, caller, request);
  await deps.trail.admit();
  const isSkill = request.serverId === hubServerId;
  const kind = isSkill ? SpanKind.INTERNAL : SpanKind.CLIENT;
  return inSpan(
    `${isSkill ? 'execute_tool' : 'tools/call'} ${tool.toolName}`,
    { kind, attributes: callAttributes(caller, tool, isSkill) },
    (span) =>
      deps.trail.operation(span, async () => {
        if (deps.captureContent) span.setAttribute(attributes.genAiToolArguments, redactedContent(request.arguments));
        const startedAt = performance.now();
        const deadline = openDeadline({ timeoutMs, caller: options.signal, shutdown: hubEnding.signal });
        const performing = perform(deps, caller, request, tool, options, { deadline, hubEnding });
        // Made while the tool is at work.
        const argumentsDigest = deps.contentDigest(request.arguments);
        const ending = await performing;
        const latencyMs = performance.now() - startedAt;
        const { outcome, errorType } = 'failure' in ending ? ending.failure : ending;
        const result = 'failure' in ending ? undefined : ending.result;
        const kept = await recordCall(deps, {
          caller,
          request,
          argumentsDigest,
          outcome,
          errorType,
          result,
          latencyMs,
          span,
        });
        if ('failure' in ending) throw callError(ending.failure, timeoutMs);
        if (deps.captureContent) span.setAttribute(attributes.genAiToolResult, redactedContent(ending.result));
        return { callId: kept.callId, outcome, latencyMs: kept.latencyMs, result: ending.result };
      }),
  );
}

async function perform(
  deps: ToolCallDeps,
  caller: Caller,
  request: ToolCallRequest,
  tool: ToolDefinition,
  { onProgress }: CallOptions,
  { deadline, hubEnding }: { deadline: CallDeadline; hubEnding: HubEnding },
): Promise<Ending> {
  try {
    const verdict = deps.schemaCheck(tool.inputSchema, request.arguments);
    if ('broken' in verdict) return { failure: { errorType: 'invalid_tool_schema', outcome: 'error' } };
    if (!verdict.fits) {
      return { failure: { errorType: 'invalid_arguments', outcome: 'error', violations: verdict.violations } };
    }
    const result = await deadline.race(
      request.serverId === hubServerId
        ? callSkill(deps, caller, request)
        : callUpstream(deps, request, { signal: deadline.signal, onProgress }),
    );
    return result.isError
      ? { result, outcome: 'error', errorType: 'tool_error' }
      : { result, outcome: 'success', errorType: undefined };
  } catch (error) {
    return { failure: classifyFailure(error, deadline.reason(), hubEnding.hasBegun()) };
  } finally {
    deadline.close();
  }
}

async function callSkill({ skillTools }: ToolCallDeps, caller: Caller, request: ToolCallRequest): Promise<ToolResult> {
  const tool = skillTools.find(caller.namespace, request.toolName);
  if (tool === undefined) throw notFound('tool');
  const result = skillToolResult(tool, skillToolArgumentsSchema.parse(request.arguments));
  if (result === undefined) throw notFound('file');
  return result;
}

async function callUpstream(
  { pool }: ToolCallDeps,
  request: ToolCallRequest,
  options: CallOptions,
): Promise<ToolResult> {
  const connection = pool.find(request.serverId);
  if (connection === undefined) throw notFound('server');
  return connection.call({
    toolName: request.toolName,
    arguments: request.arguments,
    meta: outgoingMeta(),
    ...options,
  });
}

/** The tool a caller may call. @throws HestiaError NOT_FOUND, SERVER_UNAVAILABLE, INVALID_REQUEST */
function findCallableTool(
  { pool, toolIndex, skillTools }: ToolCallDeps,
  caller: Caller,
  { serverId, toolName }: ToolCallRequest,
): ToolDefinition {
  const found = toolIndex.find({ serverId, toolName, namespace: caller.namespace });
  // The index keeps a skill until the sweep; the registry knows that its time is over.
  if (found?.source === 'skill' && !skillTools.find(caller.namespace, toolName)) throw notFound('tool');
  if (found?.source === 'hub') {
    throw new HestiaError(
      'INVALID_REQUEST',
      `server_id: "${hubServerId}" offers this tool at its own MCP endpoint; call it there by its name`,
    );
  }
  if (found !== undefined) return found.definition;
  if (serverId === hubServerId) throw notFound('tool');
  const connection = pool.find(serverId);
  if (connection === undefined) throw notFound('server');
  const { state } = connection.status();
  if (state !== 'connected') throw new HestiaError('SERVER_UNAVAILABLE', `the server is ${state}; see its status`);
  throw notFound('tool');
}

function checkedTimeout({ limits }: ToolCallDeps, timeoutMs: number | undefined): number {
  if (timeoutMs === undefined) return limits.callTimeoutMs;
  if (timeoutMs <= limits.callTimeoutMsMax) return timeoutMs;
  throw new HestiaError('INVALID_REQUEST', `timeoutMs: found ${timeoutMs}, must be at most ${limits.callTimeoutMsMax}`);
}

function callAttributes(caller: Caller, tool: ToolDefinition, isSkill: boolean) {
  return {
    [attributes.genAiOperationName]: 'execute_tool',
    [attributes.genAiToolName]: tool.toolName,
    [attributes.genAiAgentId]: caller.agentId,
    [attributes.namespace]: caller.namespace,
    [attributes.serverId]: tool.serverId,
    ...(isSkill ? { [attributes.genAiToolType]: 'extension' } : { [attributes.mcpMethodName]: 'tools/call' }),
  };
}
