/**
 * The policy on arguments that do not fit the input schema of a tool (`policy.argumentCheck`). Skills are checked strictly,
 * since the hub itself reads their arguments.
 */
import type { Span } from '@opentelemetry/api';
import type { ArgumentCheckPolicy } from '../../shapes/configuration/config.ts';
import type { Violation } from '../../shapes/error.ts';
import { type JsonObject, withPlainNumbers } from '../../shapes/json.ts';
import { hubServerId } from '../../shapes/server.ts';
import type { ArgumentCheck, ToolDefinition, ToolResult } from '../../shapes/tool.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import { attributes } from '../../telemetry/names.ts';
import type { CallFailure } from './failure.ts';
import type { SchemaCheck } from './schema.ts';

/** Dependencies of {@link checkArguments}. */
export interface ArgumentCheckDeps {
  schemaCheck: SchemaCheck;
  argumentCheck: ArgumentCheckPolicy;
  metrics: Pick<Metrics, 'argumentCheck'>;
}

/** Checked arguments. `warnings` are violations that the server may accept. */
export interface CheckedArguments {
  check: ArgumentCheck;
  warnings: Violation[];
  /** Set if the call is refused. */
  failure: CallFailure | undefined;
}

/** Checks the arguments of a call, marks the span with the result, and counts it. */
export async function checkArguments(
  deps: ArgumentCheckDeps,
  { tool, args, span }: { tool: ToolDefinition; args: JsonObject; span: Span },
): Promise<CheckedArguments> {
  const isStrict = deps.argumentCheck === 'strict' || tool.serverId === hubServerId;
  const checked = await verdictOf(deps.schemaCheck, tool, args, isStrict);
  span.setAttribute(attributes.argumentCheck, checked.check);
  deps.metrics.argumentCheck(checked.check, tool.serverId);
  return checked;
}

async function verdictOf(
  schemaCheck: SchemaCheck,
  tool: ToolDefinition,
  args: JsonObject,
  isStrict: boolean,
): Promise<CheckedArguments> {
  const verdict = await schemaCheck(tool.inputSchema, withPlainNumbers(args));
  if (verdict.status === 'unchecked') {
    const failure = isStrict ? ({ errorType: 'invalid_tool_schema', outcome: 'error' } as const) : undefined;
    return { check: `unchecked_${verdict.reason}`, warnings: [], failure };
  }
  const { certain, uncertain } = verdict;
  if (certain.length > 0 || (isStrict && uncertain.length > 0)) {
    const violations = [...certain, ...uncertain];
    return {
      check: 'refused',
      warnings: [],
      failure: { errorType: 'invalid_arguments', outcome: 'error', violations },
    };
  }
  return { check: uncertain.length > 0 ? 'warned' : 'fits', warnings: uncertain, failure: undefined };
}

/** The key in `_meta` of a result whose arguments did not fit, or were not checked. */
export const argumentsMetaKey = 'hestia/arguments';

/** The result, marked unless the arguments fit. */
export function markedResult(result: ToolResult, { check, warnings }: CheckedArguments): ToolResult {
  if (check === 'fits') return result;
  const mark = { check, ...(warnings.length > 0 && { violations: warnings }) };
  return { ...result, _meta: { ...result._meta, [argumentsMetaKey]: mark } };
}

/** The failure, with the warnings if the server answered with an error: they may be why. */
export function withWarnings(failure: CallFailure, { warnings }: CheckedArguments): CallFailure {
  return failure.upstream?.jsonRpcCode !== undefined && warnings.length > 0
    ? { ...failure, violations: warnings }
    : failure;
}
