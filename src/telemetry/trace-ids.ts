/** Generator of trace and span ids. Trace ids begin with the time, so that inserts into an index append. */
import { randomBytes } from 'node:crypto';

/** Generates ids; an `IdGenerator` of the SDK. */
export interface TraceIds {
  /** 48 bits of Unix milliseconds and 80 random bits. W3C Trace Context, level 2, requires the last 56 to be random. */
  generateTraceId(): string;
  /** 64 random bits. */
  generateSpanId(): string;
}

/** The number of random bytes requested at a time, since each request costs more than its bytes. */
const poolBytes = 4096;
const traceRandomBytes = 10;
const spanBytes = 8;

/** Creates the id generator of a process. */
export function createTraceIds(): TraceIds {
  let pool = randomBytes(poolBytes);
  let used = 0;
  const random = (bytes: number): string => {
    if (used + bytes > poolBytes) {
      pool = randomBytes(poolBytes);
      used = 0;
    }
    used += bytes;
    return pool.toString('hex', used - bytes, used);
  };
  return {
    generateTraceId: () => Date.now().toString(16).padStart(12, '0') + random(traceRandomBytes),
    generateSpanId: () => {
      const id = random(spanBytes);
      // All zeros are an invalid id.
      return id === '0'.repeat(2 * spanBytes) ? `${id.slice(1)}1` : id;
    },
  };
}
