/**
 * The share of each key in running requests, in the bytes of bodies, and in results that are not read.
 * Bodies are counted as they arrive. Requests of a key that floods are paced. While the process holds too much memory, only operators are served.
 */
import type { Context, MiddlewareHandler } from 'hono';
import type { AccessService } from '../domain/access-service.ts';
import { createFairBudget, type FairBudget } from '../flow/fair-budget.ts';
import { createFairPace } from '../flow/fair-pace.ts';
import type { HeldResults } from '../flow/held-results.ts';
import type { MemoryWatch } from '../flow/memory-watch.ts';
import type { Caller } from '../shapes/access.ts';
import { HestiaError } from '../shapes/error.ts';
import type { Log } from '../telemetry/log.ts';
import type { HubEnv } from './authenticate.ts';
import { jsonValues } from './json-size.ts';
import { bodyBytesMax, bodyTooLong, declaredBytes, overloaded, type RequestLimits } from './request-limits.ts';
import { createUnreadResults } from './unread-results.ts';

/** Dependencies of {@link limitKeys}. */
export interface KeySharesDeps {
  access: Pick<AccessService, 'countRequest'>;
  limits: RequestLimits & { resultReadMsMax: number };
  memory: Pick<MemoryWatch, 'isOver' | 'limitBytes'>;
  results: HeldResults;
  log: Log;
}

/** Bodies up to this length are counted when they are announced: that costs nothing, and such a body is never long under way. */
const smallBodyBytesMax = 65_536;

/** The bytes of a body that cost as much as a short request. */
const bytesPerCost = 16_384;

/** The memory of a parsed JSON value, in bytes: an empty array, with its place in another. */
const bytesPerValue = 64;

/** Of the memory that the process may hold, the part that bodies may take. */
const memoryShare = 0.25;

/** The middleware, for authenticated requests. An operator has no share, but may take everything that is left. */
export function limitKeys({ access, limits, memory, results, log }: KeySharesDeps): MiddlewareHandler<HubEnv> {
  const requests = createFairBudget(limits.requestsRunningMax);
  const bytesMax = Math.min(limits.requestBytesHeldMax, Math.floor(memory.limitBytes * memoryShare));
  const bodies = createFairBudget(bytesMax);
  const pace = createFairPace();
  const unread = createUnreadResults({ results, resultReadMsMax: limits.resultReadMsMax, log });
  return async (c, next) => {
    const { caller } = c.var;
    const isPrivileged = caller.role === 'operator';
    if (!isPrivileged && memory.isOver()) {
      throw overloaded(`the hub holds more than ${memory.limitBytes} bytes of memory, which is the limit`);
    }
    const { keyId } = caller;
    const refusal = requests.take(keyId, 1, { isPrivileged });
    if (refusal !== undefined) throw tooManyRequests(refusal, limits.requestsRunningMax);
    const held = new HeldBytes(bodies, caller, bytesMax);
    const declared = declaredBytes(c.req);
    const turn = pace.enter(keyId, 1 + (declared ?? smallBodyBytesMax) / bytesPerCost);
    if (turn !== undefined) await turn;
    c.set('nextMessage', async () => {
      await access.countRequest(caller);
      pace.leave(keyId);
      await pace.enter(keyId);
    });
    try {
      if (declared !== undefined && declared <= smallBodyBytesMax) held.take(declared);
      else c.req.raw = await withReadBody(c, held, limits);
      await unread.handle(c, caller, next);
    } finally {
      held.giveBack();
      pace.leave(keyId);
      requests.give(keyId, 1);
    }
  };
}

function tooManyRequests(refusal: 'share' | 'total', requestsMax: number): HestiaError {
  if (refusal === 'total') return overloaded(`${requestsMax} requests are under way, which is the limit`);
  return overloaded('the requests of this key under way are as many as its share');
}

/** The bytes of one request. */
class HeldBytes {
  #bytes = 0;
  readonly #budget: FairBudget;
  readonly #caller: Caller;
  readonly #bytesMax: number;

  constructor(budget: FairBudget, caller: Caller, bytesMax: number) {
    this.#budget = budget;
    this.#caller = caller;
    this.#bytesMax = bytesMax;
  }

  /** @throws HestiaError OVERLOADED */
  take(bytes: number): void {
    if (bytes === 0) return;
    const { keyId, role } = this.#caller;
    const refusal = this.#budget.take(keyId, bytes, { isPrivileged: role === 'operator' });
    if (refusal === 'total') throw overloaded(`${this.#bytesMax} bytes of requests are under way, which is the limit`);
    if (refusal === 'share') throw overloaded('the bytes of requests of this key under way are as many as its share');
    this.#bytes += bytes;
  }

  giveBack(): void {
    if (this.#bytes > 0) this.#budget.give(this.#caller.keyId, this.#bytes);
  }
}

/** The request with its body read, and counted as it arrived and for what it takes when it is parsed. */
async function withReadBody(c: Context<HubEnv>, held: HeldBytes, limits: RequestLimits): Promise<Request> {
  const { url, method, headers, signal, body } = c.req.raw;
  if (body === null) return c.req.raw;
  const bytesMax = bodyBytesMax(limits, c.req);
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.byteLength;
    if (bytes > bytesMax) throw bodyTooLong(bytesMax);
    held.take(chunk.byteLength);
    chunks.push(chunk);
  }
  const read = Buffer.concat(chunks, bytes);
  if (c.req.header('content-type')?.includes('markdown') !== true) {
    const values = jsonValues(read);
    if (values > limits.requestValuesMax) throw tooManyValues(limits.requestValuesMax);
    held.take(values * bytesPerValue);
  }
  return new Request(url, { method, headers, signal, body: read });
}

function tooManyValues(valuesMax: number): HestiaError {
  return new HestiaError('PAYLOAD_TOO_LARGE', `the body must have at most ${valuesMax} JSON values`);
}
