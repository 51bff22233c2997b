/** The interface of a channel to an upstream server: a transport, and how to close it. */
import type { Transport } from '@modelcontextprotocol/client';
import type { JsonObject } from '../shapes/json.ts';
import type { SessionFailureDetail } from './session-failure.ts';

/** A channel serves one session, which owns it. */
export interface Channel {
  readonly transport: Transport;
  /**
   * Calls a tool without the library, for the protocols until 2025; undefined where the transport has no such way. Returns
   * the result unchecked. Rejects with UpstreamCallError, or with an error of the library.
   */
  readonly call?: (params: JsonObject, signal: AbortSignal) => Promise<unknown>;
  /** What is known about the end of the connection, such as the exit code of a process. */
  detail(): SessionFailureDetail;
  /** Ends the child process or the HTTP session, within 2.2 seconds. Never rejects; may be repeated. */
  close(): Promise<void>;
}
