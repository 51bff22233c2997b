/** A channel to an upstream server, whatever it is made of: what the client speaks over, and how it ends. */
import type { Transport } from '@modelcontextprotocol/client';

/** One channel, used once. Owned by the session that is held over it. */
export interface Channel {
  readonly transport: Transport;
  /** Ends the child process or the HTTP session; takes at most some two seconds, never rejects, may be repeated. */
  close(): Promise<void>;
}
