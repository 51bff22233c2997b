/**
 * Attribution of each error type to the caller, the tool, the server or the hub. It decides what spends the error budget.
 * A new error type does not compile until it is classified here.
 */
import { type ToolErrorType, toolErrorTypeSchema } from '../../src/shapes/tool.ts';

/**
 * `caller`: a mistake of the caller, which is not counted. `tool`: the tool responded with an error, which counts as a good
 * call, but many of them deserve an alert. `server` and `hub`: a bad call, which spends the budget.
 */
export type Fault = 'caller' | 'tool' | 'server' | 'hub';

/** The decision for each error type, and why. */
export const toolErrorFaults: Readonly<Record<ToolErrorType, { fault: Fault; reason: string }>> = {
  tool_error: {
    fault: 'tool',
    reason: 'The tool responded that it could not do what was requested, mostly because of the request.',
  },
  invalid_arguments: {
    fault: 'caller',
    reason: 'The arguments do not match the schema, which the caller can read, or the server refused them as invalid.',
  },
  invalid_tool_schema: { fault: 'server', reason: 'The server lists a tool with an invalid schema.' },
  server_unavailable: { fault: 'server', reason: 'The tool is known, but its server is not connected.' },
  login_required: { fault: 'server', reason: 'The server refuses calls until a person has logged in.' },
  connection_lost: { fault: 'server', reason: 'The connection to the server was lost during the call.' },
  upstream_error: {
    fault: 'server',
    reason: 'The server answered with an error that it does not blame on the arguments.',
  },
  invalid_response: { fault: 'server', reason: 'The response of the server is not a tool result.' },
  response_too_large: {
    fault: 'tool',
    reason: 'The tool responded. The size depends on the request, and the limit is intentional.',
  },
  timeout: {
    fault: 'server',
    reason: 'No response before the deadline. A caller may set a short one; the default is half a minute.',
  },
  cancelled: { fault: 'caller', reason: 'The caller disconnected or cancelled.' },
  shutdown: { fault: 'hub', reason: 'The hub shut down during the call, which the caller could not prevent.' },
  internal: { fault: 'hub', reason: 'A failure of the hub.' },
};

/** The error types with one of these faults, in the order of the closed list. */
export function errorTypesOf(...faults: readonly Fault[]): ToolErrorType[] {
  return toolErrorTypeSchema.options.filter((type) => faults.includes(toolErrorFaults[type].fault));
}
