/**
 * Sessions with servers of the 2025 protocols, lent to requests of clients of 2026-07-28. A session is lent to
 * one request at a time, so that what the server asks belongs to that request, and later to others of the same key.
 */
import { ProtocolError } from '@modelcontextprotocol/server';
import type { ServerOffers, ServerSession } from '../../domain/server-offers.ts';
import type { Caller } from '../../shapes/access.ts';
import { HestiaError } from '../../shapes/error.ts';
import type { JsonObject } from '../../shapes/json.ts';
import { sendLevel } from './client-channel.ts';
import { type ClientListener, type ClientProfile, clientProfile } from './client-profile.ts';

/** A session that is lent, and the end of that. */
export interface LentSession {
  session: ServerSession;
  release(): void;
}

/** For which client a session is needed. */
export interface Borrower {
  caller: Caller;
  serverId: string;
  /** The capabilities that the client declares. */
  capabilities: JsonObject;
  /** The log level that the client asks for, of a server that has log messages. */
  level: string | undefined;
  /** Where requests and notifications of the server go; undefined for a request that only lists tools. */
  listener: ClientListener | undefined;
}

/** The sessions. */
export interface LentSessions {
  /** Lends a free session, or opens one. @throws HestiaError NOT_FOUND, SERVER_UNAVAILABLE, OVERLOADED */
  lend(borrower: Borrower): Promise<LentSession>;
  /** Ends all sessions. */
  close(): Promise<void>;
}

/** Dependencies of the sessions. */
export interface LentSessionsDeps {
  offers: ServerOffers;
  /** Milliseconds. */
  limits: { clientSessionIdleMs: number };
}

interface Entry {
  /** The key, the server and the capabilities, which are those of each borrower. */
  key: string;
  serverId: string;
  session: ServerSession | undefined;
  listener: ClientListener | undefined;
  /** A server that has asked for the roots of a client keeps them: another client must not get the session. */
  hasRoots: boolean;
  level: string | undefined;
  idle: NodeJS.Timeout | undefined;
}

/** How long a session is kept for the next request, in milliseconds, unless `limits.clientSessionIdleMs` is shorter. */
const keptMs = 300_000;

/** Creates it; no session is open. */
export function createLentSessions(deps: LentSessionsDeps): LentSessions {
  return new SessionPool(deps);
}

class SessionPool implements LentSessions {
  readonly #deps: LentSessionsDeps;
  /** Those of the longest idle first. */
  readonly #free = new Set<Entry>();
  readonly #lent = new Set<Entry>();

  constructor(deps: LentSessionsDeps) {
    this.#deps = deps;
  }

  async lend(borrower: Borrower): Promise<LentSession> {
    const entry = this.#takeFree(borrower) ?? (await this.#open(borrower));
    const { session } = entry;
    if (session === undefined) throw new HestiaError('SERVER_UNAVAILABLE', 'the session with the server has ended');
    if (borrower.level !== undefined && borrower.level !== entry.level) {
      entry.level = borrower.level;
      await sendLevel(session, borrower.level);
    }
    return { session, release: () => this.#release(entry, borrower.listener !== undefined) };
  }

  async close(): Promise<void> {
    await Promise.allSettled([...this.#free, ...this.#lent].map((entry) => this.#end(entry)));
  }

  #takeFree(borrower: Borrower): Entry | undefined {
    const { listener } = borrower;
    const key = keyOf(borrower);
    const found = [...this.#free].findLast((entry) => entry.key === key && !(listener !== undefined && entry.hasRoots));
    if (found === undefined) return undefined;
    clearTimeout(found.idle);
    this.#free.delete(found);
    this.#lent.add(found);
    found.listener = listener;
    return found;
  }

  async #open(borrower: Borrower): Promise<Entry> {
    const entry = newEntry(borrower);
    this.#lent.add(entry);
    try {
      entry.session = await this.#openSession(borrower, profileOf(borrower, entry));
    } catch (error) {
      this.#lent.delete(entry);
      throw error;
    }
    const onEnded = () => void this.#end(entry);
    const { ended } = borrower.caller;
    ended?.addEventListener('abort', onEnded, { once: true });
    entry.session.ended.addEventListener('abort', () => ended?.removeEventListener('abort', onEnded), { once: true });
    if (ended?.aborted) onEnded();
    return entry;
  }

  /** Opens a session. Where too many are open, those that are idle end first. */
  async #openSession({ caller, serverId }: Borrower, profile: ClientProfile): Promise<ServerSession> {
    while (true) {
      try {
        return await this.#deps.offers.openSession(caller, serverId, profile);
      } catch (error) {
        const isFull = error instanceof HestiaError && error.code === 'OVERLOADED';
        const idle = [...this.#free].find((entry) => entry.serverId === serverId);
        if (!isFull || idle === undefined) throw error;
        await this.#end(idle);
      }
    }
  }

  #release(entry: Entry, isUsed: boolean): void {
    entry.listener = undefined;
    if (!this.#lent.delete(entry)) return;
    if (entry.session?.ended.aborted !== false || (isUsed && entry.hasRoots)) return void this.#end(entry);
    this.#free.add(entry);
    const idleMs = Math.min(keptMs, this.#deps.limits.clientSessionIdleMs);
    entry.idle = setTimeout(() => void this.#end(entry), idleMs).unref();
  }

  async #end(entry: Entry): Promise<void> {
    clearTimeout(entry.idle);
    this.#free.delete(entry);
    this.#lent.delete(entry);
    await entry.session?.close();
  }
}

function keyOf({ caller, serverId, capabilities }: Borrower): string {
  return JSON.stringify([caller.keyId, serverId, capabilities]);
}

function newEntry(borrower: Borrower): Entry {
  const { serverId, listener } = borrower;
  const state = { session: undefined, hasRoots: false, level: undefined, idle: undefined };
  return { key: keyOf(borrower), serverId, listener, ...state };
}

/** The client as the server gets to know it: its requests and notifications go to the borrower of the moment. */
function profileOf({ capabilities }: Borrower, entry: Entry): ClientProfile {
  return clientProfile(capabilities, {
    onRequest: (request, signal) => {
      if (request.method === 'roots/list') entry.hasRoots = true;
      if (entry.listener !== undefined) return entry.listener.onRequest(request, signal);
      throw new ProtocolError(-32603, 'no request of the client is running');
    },
    onNotification: (notification) => entry.listener?.onNotification(notification),
  });
}
