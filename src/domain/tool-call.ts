/**
 * Tool calls, from the request to the recorded outcome. A call finds the tool, checks the arguments, runs the tool under
 * a deadline, classifies the outcome, and writes it with its audit record before it answers.
 */
import { type Span, SpanKind } from '@opentelemetry/api';
import type { ToolIndex } from '../search-index/tool-index.ts';
import type { Caller } from '../shapes/access.ts';
import { HestiaError, notFound } from '../shapes/error.ts';
import type { Outcome } from '../shapes/event.ts';
import { withPlainNumbers } from '../shapes/json.ts';
import { hubServerId } from '../shapes/server.ts';
import { skillToolArgumentsSchema } from '../shapes/skill.ts';
import {
  type ToolCallAnswer,
  type ToolCallRequest,
  type ToolDefinition,
  type ToolErrorType,
  type ToolProgress,
  type ToolResult,
  type ToolSource,
  withPlainStructure,
} from '../shapes/tool.ts';
import { redactedContent } from '../telemetry/content.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { attributes } from '../telemetry/names.ts';
import { outgoingMeta } from '../telemetry/propagation.ts';
import { inSpan } from '../telemetry/span.ts';
import type { ConnectionPool } from '../upstream/connection-pool.ts';
import type { ClientDeclaration } from '../upstream/request/exchange.ts';
import type { AccessGuard } from './access/guard.ts';
import { isInScope, isNameInScope, isServerInScope } from './access/scope.ts';
import { findCallableTool, skillToActivate, unknownHubTool } from './access/tool-lookup.ts';
import type { ContentDigest } from './audit/digest.ts';
import type { AuditTrail } from './audit/trail.ts';
import type { Admission, Shutdown } from './call/admission.ts';
import {
  type ArgumentCheckDeps,
  type CheckedArguments,
  checkArguments,
  markedResult,
  withWarnings,
} from './call/argument-check.ts';
import { untilAttempted } from './call/connecting-server.ts';
import { extendedByProgress, openDeadline } from './call/deadline.ts';
import { type CallFailure, callError, classifyFailure } from './call/failure.ts';
import { heldResult } from './call/held-result.ts';
import { recordCall } from './call/record.ts';
import type { ServerSession } from './offer/server-session.ts';
import type { SearchLearning } from './search/learning.ts';
import type { SkillLifecycle } from './skill-lifecycle.ts';
import { type SkillTools, skillToolResult } from './skill-tools.ts';

/** Options that a door passes with a request. */
export interface CallOptions {
  /** Aborts when the caller disconnects or cancels. */
  signal: AbortSignal;
  onProgress?: ((progress: ToolProgress) => void) | undefined;
  /** What the caller's client declares to servers; if unset, a server cannot ask it for input. */
  client?: ClientDeclaration | undefined;
  /** The session of the client with the server; if unset, the call goes over the session that all clients share. */
  via?: ServerSession | undefined;
}

/** Calls of tools. */
export interface ToolCall {
  /**
   * Calls a tool of an upstream server, or of an active skill under the server id `hestia`.
   * @throws HestiaError NOT_FOUND, FORBIDDEN, INVALID_ARGUMENTS, INVALID_TOOL_SCHEMA, SERVER_UNAVAILABLE, UPSTREAM_FAILED,
   *   RESPONSE_TOO_LARGE, TIMEOUT, ABANDONED, SHUTTING_DOWN, OVERLOADED. Once a tool was found that the caller may call,
   *   the outcome is recorded before the error is thrown.
   */
  call(caller: Caller, request: ToolCallRequest, options: CallOptions): Promise<ToolCallAnswer>;
  /** Whether the scope of the caller's key has a tool of the MCP endpoint: the hub's own, or that of a skill. */
  isInScope(caller: Caller, tool: { source: ToolSource; definition: ToolDefinition }): boolean;
  /** Refuses the name of a tool that the MCP endpoint does not have for the caller. @throws HestiaError NOT_FOUND always */
  refuseUnknown(caller: Caller, toolName: string): Promise<never>;
  /** Whether a call finds the tool of this skill: it is active, or the call activates it. */
  hasSkillTool(caller: Caller, toolName: string): boolean;
  /** The number of running calls. */
  running(): number;
  /** Refuses new calls, waits for running ones at most `drainMs`, then cancels the rest and waits for their records. */
  drain(drainMs: number): Promise<void>;
}

/** Dependencies of tool calls. `limits` are milliseconds and counts. */
export interface ToolCallDeps extends ArgumentCheckDeps {
  pool: ConnectionPool;
  toolIndex: ToolIndex;
  skillTools: SkillTools;
  /** Activates a skill that is not active; undefined where calls do not activate skills. */
  activateOnCall: SkillLifecycle['activateOnCall'] | undefined;
  searchLearning: SearchLearning;
  trail: AuditTrail;
  contentDigest: ContentDigest;
  guard: AccessGuard;
  metrics: Metrics;
  admission: Admission;
  limits: { callTimeoutMs: number; callTimeoutMsMax: number; connectWaitMs: number };
  captureContent: boolean;
  now: () => number;
}

/** A call that was asked for: by whom, of what, and what can end it early. */
interface RequestedCall {
  caller: Caller;
  request: ToolCallRequest;
  options: CallOptions;
  shutdown: Shutdown;
}

/** A requested call of a tool that was found and that the caller may call. */
interface PermittedCall extends RequestedCall {
  tool: ToolDefinition;
  timeoutMs: number;
}

/** How a call ended, before it is recorded. */
type Ending = { areArgumentsDoubtful: boolean } & (
  | { result: ToolResult; outcome: Outcome; errorType: ToolErrorType | undefined }
  | { failure: CallFailure }
);

/** Creates the use case. */
export function createToolCall(deps: ToolCallDeps): ToolCall {
  const { admission } = deps;
  return {
    running: admission.running,
    drain: admission.drain,
    hasSkillTool: (caller, toolName) =>
      (deps.skillTools.find(caller.namespace, toolName) !== undefined &&
        isNameInScope(caller.scope, { serverId: hubServerId, toolName })) ||
      activatedSkill(deps, caller, { serverId: hubServerId, toolName }) !== undefined,
    isInScope: ({ scope }, tool) => isInScope(scope, tool),
    refuseUnknown: async (caller, toolName) => {
      await deps.guard.recordOutOfScope(caller, 'tool.call', { serverId: hubServerId, toolName });
      throw unknownHubTool(deps.toolIndex, caller, toolName);
    },
    call: (caller, request, options) => {
      // The load of a server outside of the scope is not revealed.
      const serverId = isServerInScope(caller.scope, request.serverId) ? request.serverId : '';
      return admission.run({ serverId, caller }, (shutdown) => runCall(deps, { caller, request, options, shutdown }));
    },
  };
}

async function runCall(deps: ToolCallDeps, call: RequestedCall): Promise<ToolCallAnswer> {
  const { caller, request } = call;
  const timeoutMs = checkedTimeout(deps, request.timeoutMs);
  await deps.guard.require(caller, 'tool.call', undefined, request);
  await untilAttempted(deps, call);
  const name = activatedSkill(deps, caller, request);
  if (name !== undefined) await deps.activateOnCall?.(caller, { name });
  const tool = extraTool(call) ?? (await findCallableTool(deps, caller, request));
  if (deps.trail.isRequired) await deps.trail.admit();
  return traceCall(deps, { ...call, tool, timeoutMs });
}

/** The tool that the server offers to this client only. */
function extraTool({ caller: { scope }, request, options }: RequestedCall): ToolDefinition | undefined {
  const definition = options.via?.findTool(request.toolName);
  return definition && isInScope(scope, { source: 'upstream', definition }) ? definition : undefined;
}

/** Performs the call inside its span, and records it. */
function traceCall(deps: ToolCallDeps, call: PermittedCall): Promise<ToolCallAnswer> {
  const { caller, tool } = call;
  const isSkill = tool.serverId === hubServerId;
  const kind = isSkill ? SpanKind.INTERNAL : SpanKind.CLIENT;
  return inSpan(
    `${isSkill ? 'execute_tool' : 'tools/call'} ${tool.toolName}`,
    { kind, attributes: callAttributes(caller, tool, isSkill) },
    (span) => deps.trail.operation(span, () => performAndRecord(deps, call, span)),
  );
}

async function performAndRecord(deps: ToolCallDeps, call: PermittedCall, span: Span): Promise<ToolCallAnswer> {
  const { caller, request, timeoutMs } = call;
  if (deps.captureContent) span.setAttribute(attributes.genAiToolArguments, redactedContent(request.arguments));
  const startedAt = performance.now();
  const performing = perform(deps, call, span);
  // Computed while the tool is at work.
  const argumentsDigest = deps.contentDigest(withPlainNumbers(request.arguments));
  const ending = await performing;
  const latencyMs = performance.now() - startedAt;
  const { outcome, errorType } = 'failure' in ending ? ending.failure : ending;
  const result = 'failure' in ending ? undefined : withPlainStructure(ending.result);
  const isOwnDeadline = timeoutMs < deps.limits.callTimeoutMs;
  const { areArgumentsDoubtful } = ending;
  const finding = { outcome, errorType, result, latencyMs, isOwnDeadline, areArgumentsDoubtful };
  const recorded = await recordCall(deps, { caller, request, argumentsDigest, span, ...finding });
  if ('failure' in ending) {
    const { callTimeoutMsMax: timeoutMsMax } = deps.limits;
    throw callError(ending.failure, { serverId: request.serverId, timeoutMs, timeoutMsMax });
  }
  if (deps.captureContent) span.setAttribute(attributes.genAiToolResult, redactedContent(ending.result));
  return { callId: recorded.callId, outcome, latencyMs: recorded.latencyMs, result: ending.result };
}

const notChecked: CheckedArguments = { check: 'fits', warnings: [], failure: undefined };

/** Checks the arguments and runs the tool under a deadline. Never throws. */
async function perform(deps: ToolCallDeps, call: PermittedCall, span: Span): Promise<Ending> {
  const { caller, request, options, tool, timeoutMs, shutdown } = call;
  const { callTimeoutMsMax: timeoutMsMax } = deps.limits;
  const ends = { caller: options.signal, credential: caller.ended, shutdown: shutdown.signal };
  const deadline = openDeadline({ timeoutMs, timeoutMsMax, ...ends });
  // A deadline that the caller has chosen is kept.
  const isDefault = request.timeoutMs === undefined;
  const onProgress = isDefault ? extendedByProgress(deadline, options.onProgress) : options.onProgress;
  // While a server waits for the client, its deadline begins anew.
  const stopWaiting = isDefault ? options.via?.onWaiting(deadline.extend) : undefined;
  let checked: CheckedArguments = notChecked;
  try {
    checked = await deadline.race(checkArguments(deps, { tool, args: request.arguments, span }));
    if (checked.failure !== undefined) return { failure: checked.failure, areArgumentsDoubtful: false };
    const areArgumentsDoubtful = checked.check === 'warned';
    const result = await deadline.race(
      tool.serverId === hubServerId
        ? callSkill(deps, caller, request)
        : callUpstream(deps, caller, request, { ...options, signal: deadline.signal, onProgress }),
    );
    const marked = markedResult(heldResult(result), checked);
    return result.isError
      ? { result: marked, outcome: 'error', errorType: 'tool_error', areArgumentsDoubtful }
      : { result: marked, outcome: 'success', errorType: undefined, areArgumentsDoubtful };
  } catch (error) {
    const failure = classifyFailure(error, deadline.reason(), shutdown.hasBegun());
    return { failure: withWarnings(failure, checked), areArgumentsDoubtful: checked.check === 'warned' };
  } finally {
    stopWaiting?.();
    deadline.close();
  }
}

async function callSkill({ skillTools }: ToolCallDeps, caller: Caller, request: ToolCallRequest): Promise<ToolResult> {
  const tool = skillTools.find(caller.namespace, request.toolName);
  if (tool === undefined) throw notFound('tool');
  const result = skillToolResult(tool, skillToolArgumentsSchema.parse(request.arguments));
  if (result === undefined) {
    const violations = [{ field: 'file', message: 'must be a file of the skill' }];
    throw new HestiaError('INVALID_ARGUMENTS', 'the arguments do not fit the tool', { violations });
  }
  return result;
}

async function callUpstream(
  { pool }: ToolCallDeps,
  { agentId, namespace }: Caller,
  { serverId, toolName, arguments: args }: ToolCallRequest,
  options: CallOptions,
): Promise<ToolResult> {
  const { via, ...sent } = options;
  const shared = pool.find(serverId);
  const connection = shared?.agents?.find({ agentId, namespace }) ?? via ?? shared;
  if (connection === undefined) throw notFound('server');
  return connection.call({ toolName, arguments: args, meta: outgoingMeta(), ...sent });
}

/** The name of the skill that the call activates, where calls activate skills. */
function activatedSkill(
  { toolIndex, activateOnCall }: ToolCallDeps,
  caller: Caller,
  address: Pick<ToolCallRequest, 'serverId' | 'toolName'>,
): string | undefined {
  return activateOnCall && skillToActivate(toolIndex, caller, address);
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
