/** Ids of traces and spans: a trace's begins with the time, so that an index of trace ids grows at one end. */
import { randomBytes } from 'node:crypto';

/** Makes ids; the SDK's `IdGenerator`. */
export interface TraceIds {
  /** 48 bits of Unix milliseconds and 80 random ones; W3C Trace Context, level 2, wants the last 56 to be random. */
  generateTraceId(): string;
  /** 64 random bits. */
  generateSpanId(): string;
}

/** Bytes of randomness that are had at once: each request for some costs more than the bytes. */
const poolBytes = 4096;
const traceRandomBytes = 10;
const spanBytes = 8;

/** Makes the ids of one process. */
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
      // All zeros would be no id.
      return id === '0'.repeat(2 * spanBytes) ? `${id.slice(1)}1` : id;
    },
  };
}
