/** Limits on responses of upstream servers: bytes on the wire, bytes and depth of a result. */

/** Levels of nesting a result may have. Writing a deeper one as JSON again could overflow the stack. */
const depthMax = 500;

/** Why a value is refused; `undefined` if it is within its limits. */
export type ResultFault = 'too_large' | 'too_deep' | undefined;

/**
 * Checks a parsed JSON value against a limit on the bytes of its JSON in UTF-8. An upper bound that needs no copy is
 * enough for most values. A value whose bound exceeds the limit is serialized and measured.
 */
export function resultFault(value: unknown, bytesMax: number): ResultFault {
  const { bytesBound, depth } = measure(value);
  if (depth > depthMax) return 'too_deep';
  if (bytesBound <= bytesMax) return undefined;
  return Buffer.byteLength(JSON.stringify(value)) > bytesMax ? 'too_large' : undefined;
}

// A UTF-16 unit takes at most 6 bytes, those of its escape \uXXXX. A number takes at most 24, and its comma one.
const bytesPerUnitMax = 6;
const bytesPerScalarMax = 25;

/** An upper bound for the bytes of the JSON of the value, and its depth of nesting. Not recursive. */
function measure(root: unknown): { bytesBound: number; depth: number } {
  let bytesBound = 0;
  let depth = 0;
  let level: unknown[] = [root];
  while (level.length > 0 && depth <= depthMax) {
    const next: unknown[] = [];
    for (const value of level) {
      bytesBound += typeof value === 'string' ? value.length * bytesPerUnitMax + 3 : bytesPerScalarMax;
      if (typeof value !== 'object' || value === null) continue;
      if (!Array.isArray(value)) {
        for (const key of Object.keys(value)) bytesBound += key.length * bytesPerUnitMax + 4;
      }
      for (const item of Object.values(value)) next.push(item);
    }
    level = next;
    depth += 1;
  }
  return { bytesBound, depth };
}

/**
 * The length of all texts and names in a parsed JSON value, in UTF-16 units, which says how much memory it takes. A number, a
 * list and an object count as one unit each. Stops beyond `lengthMax`. Not recursive.
 */
export function valueLength(root: unknown, lengthMax: number): number {
  let length = 0;
  const waiting: unknown[] = [root];
  while (waiting.length > 0 && length <= lengthMax) {
    const value = waiting.pop();
    length += typeof value === 'string' ? value.length + 1 : 1;
    if (typeof value !== 'object' || value === null) continue;
    if (!Array.isArray(value)) for (const key of Object.keys(value)) length += key.length;
    for (const item of Object.values(value)) waiting.push(item);
  }
  return length;
}

/** The memory of a JSON value beside its texts and names, in bytes: an empty array, with its place in another. */
const bytesPerValue = 64;

/** About the memory that a parsed JSON value takes, in bytes: that of its texts and names, and of each value. Not recursive. */
export function valueBytes(root: unknown): number {
  let bytes = 0;
  const waiting: unknown[] = [root];
  while (waiting.length > 0) {
    const value = waiting.pop();
    bytes += typeof value === 'string' ? value.length + bytesPerValue : bytesPerValue;
    if (typeof value !== 'object' || value === null) continue;
    if (Array.isArray(value)) for (const item of value) waiting.push(item);
    else
      for (const [key, item] of Object.entries(value)) {
        bytes += key.length;
        waiting.push(item);
      }
  }
  return bytes;
}

/** Callbacks for the end of a limited body. Each is called at most once. */
export interface BodyObserver {
  /** The body exceeded its limit; reading it fails with an error. */
  onExceeded(): void;
  /** The body was read to its regular end. */
  onEnded(): void;
}

/**
 * The response with its body limited to `bytesMax` bytes. For a stream of server-sent events the limit applies to each
 * event, that is the bytes between two blank lines, since a stream may stay open for any time.
 */
export function limitedResponse(response: Response, bytesMax: number, observer: BodyObserver): Response {
  if (response.body === null) return response;
  const isEventStream = response.headers.get('content-type')?.startsWith('text/event-stream') ?? false;
  let bytes = 0;
  const limit = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      const boundary = isEventStream ? lastBlankLine(chunk) : -1;
      const bytesReached = bytes + (boundary < 0 ? chunk.length : boundary);
      bytes = boundary < 0 ? bytesReached : chunk.length - boundary;
      if (bytesReached > bytesMax || bytes > bytesMax) {
        observer.onExceeded();
        controller.error(new Error('response too large'));
        return;
      }
      controller.enqueue(chunk);
    },
    flush: (controller) => {
      // A last event without its blank line would be dropped. The bytes since the last one include that blank line.
      if (isEventStream && bytes > blankLineBytesMax) controller.enqueue(endOfEvent);
      observer.onEnded();
    },
  });
  const { status, statusText, headers } = response;
  return new Response(response.body.pipeThrough(limit), { status, statusText, headers });
}

const endOfEvent = Buffer.from('\n\n');
const blankLines = ['\n\n', '\r\n\r\n', '\r\r'].map((text) => Buffer.from(text));
const blankLineBytesMax = 4;

/** The index at which the last blank line of the chunk begins, or -1. */
function lastBlankLine(chunk: Uint8Array): number {
  const buffer = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  return Math.max(...blankLines.map((blankLine) => buffer.lastIndexOf(blankLine)));
}
