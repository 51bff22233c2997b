/**
 * Whose fault each way is in which a call fails: what spends the error budget, and what an alert may speak of. A new
 * error type does not compile until it is decided here.
 */
import { type ToolErrorType, toolErrorTypeSchema } from '../../src/shapes/tool.ts';

/**
 * `caller`: the one who called; counts neither for nor against anyone. `tool`: the tool did its part and said no; a call
 * that arrived, but many of them are worth a look. `server` and `hub`: the promise was broken, the budget is spent.
 */
export type Fault = 'caller' | 'tool' | 'server' | 'hub';

/** The decision for each error type, and why. */
export const toolErrorFaults: Readonly<Record<ToolErrorType, { fault: Fault; reason: string }>> = {
  tool_error: {
    fault: 'tool',
    reason: 'The tool answered, and its answer is that it could not do what was asked: mostly about what was asked.',
  },
  invalid_arguments: { fault: 'caller', reason: 'The arguments do not fit the schema that the caller can read.' },
  invalid_tool_schema: { fault: 'server', reason: 'The server lists a tool with a schema that is none.' },
  server_unavailable: { fault: 'server', reason: 'The tool is known, but its server is not connected.' },
  connection_lost: { fault: 'server', reason: 'The server went away while it had the call.' },
  upstream_error: { fault: 'server', reason: 'The arguments fitted the schema, and the server failed all the same.' },
  invalid_response: { fault: 'server', reason: 'What the server answered is no tool result.' },
  response_too_large: {
    fault: 'tool',
    reason: 'The tool answered; how much follows from what was asked, and the limit is there on purpose.',
  },
  timeout: {
    fault: 'server',
    reason:
      'No answer before the deadline. A caller may name a short one, but half a minute is what calls get that do not.',
  },
  cancelled: { fault: 'caller', reason: 'The caller went away or changed its mind.' },
  shutdown: { fault: 'hub', reason: 'The hub ended while it had the call; the caller could do nothing about it.' },
  internal: { fault: 'hub', reason: 'A failure of our own.' },
};

/** The error types that are one of these faults, in the order of the closed list. */
export function errorTypesOf(...faults: readonly Fault[]): ToolErrorType[] {
  return toolErrorTypeSchema.options.filter((type) => faults.includes(toolErrorFaults[type].fault));
}
