/** The interface of a channel to an upstream server: a transport, and how to close it. */
import type { Transport } from '@modelcontextprotocol/client';

/** A channel serves one session, which owns it. */
export interface Channel {
  readonly transport: Transport;
  /** Ends the child process or the HTTP session, within 2.2 seconds. Never rejects; may be repeated. */
  close(): Promise<void>;
}
