/**
 * Results that clients have not read yet, counted by key until they have. A client that stops reading, or takes too long, is
 * disconnected, since the memory of its results is free only then.
 */
import { ServerResponse } from 'node:http';
import type { Context, Next } from 'hono';
import type { HeldResults, ResultAccount } from '../flow/held-results.ts';
import type { Caller } from '../shapes/access.ts';
import type { Log } from '../telemetry/log.ts';
import { overloaded } from './request-limits.ts';

/** Dependencies of {@link createUnreadResults}. */
export interface UnreadResultsDeps {
  results: HeldResults;
  /** How long a client may read nothing of a long response, in milliseconds. */
  resultReadMsMax: number;
  log: Log;
}

/** Handles requests, whose results are counted until they are read. */
export interface UnreadResults {
  /** @throws HestiaError OVERLOADED if the unread results of the key take its share; and what `next` throws */
  handle(c: Context, caller: Caller, next: Next): Promise<void>;
}

/** Shorter responses are not counted: what the operating system buffers for a connection takes about as much. */
const smallResponseBytesMax = 65_536;
/** The slowest rate at which a long response is read, beside the time for one in which nothing is read. */
const bytesPerMsMin = 64;

/** Creates it. */
export function createUnreadResults({ results, resultReadMsMax, log }: UnreadResultsDeps): UnreadResults {
  const watch = (client: ServerResponse, bytes: number, { agentId: agent_id, namespace }: Caller) => {
    const disconnect = () => {
      log.info('A client was disconnected: it does not read a response', {
        agent_id,
        namespace,
        response_bytes: bytes,
      });
      client.destroy();
    };
    // The timeout of the socket begins anew with each part that is read.
    client.setTimeout(resultReadMsMax, disconnect);
    const timer = setTimeout(disconnect, resultReadMsMax + bytes / bytesPerMsMin).unref();
    client.once('close', () => clearTimeout(timer));
  };
  return {
    handle: async (c, caller, next) => {
      const isPrivileged = caller.role === 'operator';
      if (!isPrivileged && results.isShareUsed(caller.keyId)) {
        throw overloaded('the results of this key that were not read yet take its share of limits.resultBytesHeldMax');
      }
      const client = clientOf(c);
      const account: ResultAccount = results.open(caller.keyId, {
        isPrivileged,
        onTaken: () => client && watch(client, account.bytes, caller),
      });
      try {
        await account.run(next);
      } finally {
        if (client === undefined || client.closed) account[Symbol.dispose]();
        else untilRead(client, account);
      }
    },
  };
}

function clientOf({ env }: Context): ServerResponse | undefined {
  const outgoing: unknown = typeof env === 'object' && env !== null && 'outgoing' in env ? env.outgoing : undefined;
  return outgoing instanceof ServerResponse ? outgoing : undefined;
}

/** Gives the bytes back once the client has read the response, or is gone. Counts the bytes of one that is no tool's result. */
function untilRead(client: ServerResponse, account: ResultAccount): void {
  client.once('close', () => account[Symbol.dispose]());
  if (account.bytes > 0) return;
  // In the next turn the response has been written.
  setImmediate(() => {
    const { writableLength } = client;
    if (client.closed || account.bytes > 0 || writableLength <= smallResponseBytesMax) return;
    if (account.take(writableLength) !== undefined) client.destroy();
  });
}
