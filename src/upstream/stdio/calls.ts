/**
 * Tool calls in progress over stdio, for the protocols until 2025. They bypass the MCP library, whose schemas, timers and
 * promises for each request cost more CPU than the call. A call ends at once when its response is malformed.
 */
import { ProtocolError } from '@modelcontextprotocol/client';
import type { JsonObject } from '../../shapes/json.ts';
import { UpstreamCallError } from '../call-failure.ts';
import { responseOutcome } from '../json-rpc.ts';

/** What {@link Calls} needs. */
export interface CallsDeps {
  /** Sends a message to the server. Rejects if it cannot be sent. */
  send(message: JsonObject): Promise<void>;
  /** True for the id of a request that the library has sent, answered or not. */
  isOfLibrary(id: unknown): boolean;
}

/** A call without a response so far. */
interface PendingCall {
  resolve(result: unknown): void;
  reject(error: Error): void;
  signal: AbortSignal;
  onAbort(): void;
}

/** The library counts its own requests from 0, so the ids never meet. They fit into 31 bits, for servers that need it. */
const idMin = 1_000_000_000;
const idMax = 2_147_483_647;

/** The most misaddressed responses that are remembered. */
const misaddressedMax = 16;

/** Owns the calls in progress. */
export class Calls {
  readonly #deps: CallsDeps;
  readonly #pending = new Map<number, PendingCall>();
  /** For each response to a request that was never sent: the calls of which it may answer one. */
  #misaddressed: Set<number>[] = [];
  #lastId = idMin - 1;
  #idLargest = idMin - 1;

  constructor(deps: CallsDeps) {
    this.#deps = deps;
  }

  /**
   * Calls a tool and returns its result unchecked. When the signal aborts, the server is sent a cancellation.
   * @throws ProtocolError for an error of the server, UpstreamCallError, or the error of sending
   */
  call(params: JsonObject, signal: AbortSignal): Promise<unknown> {
    if (signal.aborted) return Promise.reject(new UpstreamCallError('cancelled'));
    const id = this.#nextId();
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const onAbort = () => this.#cancel(id, String(signal.reason));
    signal.addEventListener('abort', onAbort, { once: true });
    this.#pending.set(id, { resolve, reject, signal, onAbort });
    this.#deps.send({ jsonrpc: '2.0', id, method: 'tools/call', params }).catch((error: Error) => {
      this.#take(id)?.reject(error);
    });
    return promise;
  }

  /**
   * Settles the call that a response answers. Returns false for a response to a request of the library. A response to a
   * request that was never sent fails a call as soon as it can have been meant for no other.
   */
  accept(response: JsonObject): boolean {
    const id = idOf(response);
    if (id >= idMin && id <= this.#idLargest) {
      this.#settle(id, response);
      return true;
    }
    if (this.#pending.size === 0 || this.#deps.isOfLibrary(response.id)) return false;
    if (this.#misaddressed.length < misaddressedMax) this.#misaddressed.push(new Set(this.#pending.keys()));
    this.#failMisaddressed();
    return true;
  }

  /** Fails all calls. */
  fail(error: UpstreamCallError): void {
    this.#misaddressed = [];
    for (const id of [...this.#pending.keys()]) this.#take(id)?.reject(error);
  }

  #nextId(): number {
    this.#lastId = this.#lastId === idMax ? idMin : this.#lastId + 1;
    this.#idLargest = Math.max(this.#idLargest, this.#lastId);
    return this.#lastId;
  }

  #cancel(id: number, reason: string): void {
    this.#take(id)?.reject(new UpstreamCallError('cancelled'));
    const params = { requestId: id, reason };
    // It fails only if the connection is lost, which the connection notices itself.
    this.#deps.send({ jsonrpc: '2.0', method: 'notifications/cancelled', params }).catch(() => {});
  }

  /** A second response to a call, or one to a call that was cancelled, is ignored. */
  #settle(id: number, response: JsonObject): void {
    const call = this.#take(id);
    if (call === undefined) return;
    const outcome = responseOutcome(response);
    if (outcome.kind === 'result') call.resolve(outcome.result);
    else if (outcome.kind === 'error')
      call.reject(ProtocolError.fromError(outcome.code, outcome.message, outcome.data));
    else call.reject(new UpstreamCallError('invalid_response'));
  }

  #take(id: number): PendingCall | undefined {
    const call = this.#pending.get(id);
    if (call === undefined) return undefined;
    this.#pending.delete(id);
    call.signal.removeEventListener('abort', call.onAbort);
    if (this.#misaddressed.length > 0) {
      for (const candidates of this.#misaddressed) candidates.delete(id);
      this.#failMisaddressed();
    }
    return call;
  }

  /** Fails N calls if N misaddressed responses can have been meant for no others. */
  #failMisaddressed(): void {
    const certain = this.#misaddressed.filter(
      (candidates) => this.#misaddressed.filter((other) => isSubset(other, candidates)).length >= candidates.size,
    );
    this.#misaddressed = this.#misaddressed.filter((candidates) => !certain.includes(candidates));
    for (const id of certain.flatMap((candidates) => [...candidates])) {
      this.#take(id)?.reject(new UpstreamCallError('invalid_response'));
    }
  }
}

/** The id of a response as a number; NaN for one that names no call. Of other types none is converted: an object may throw. */
function idOf({ id }: JsonObject): number {
  return typeof id === 'number' || typeof id === 'string' ? Number(id) : Number.NaN;
}

function isSubset(part: ReadonlySet<number>, of: ReadonlySet<number>): boolean {
  return [...part].every((id) => of.has(id));
}
