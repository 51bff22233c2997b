/** Closed lists of values in audit records, without a schema library: worker threads read them, too. */

/** Kinds of records. */
export const recordKinds = ['security', 'monitoring', 'tool_outcome', 'change'] as const;

/** How a tool call ended; other events use the first two. */
export const outcomes = ['success', 'error', 'timeout', 'abandoned'] as const;

/** Why a call failed. */
export const toolErrorTypes = [
  'tool_error',
  'invalid_arguments',
  'invalid_tool_schema',
  'server_unavailable',
  'login_required',
  'connection_lost',
  'upstream_error',
  'invalid_response',
  'response_too_large',
  'timeout',
  'cancelled',
  'shutdown',
  'internal',
] as const;
