/** Limits on responses of upstream servers: bytes on the wire, bytes and depth of a result. Knows no protocol. */

/** Levels of nesting a result may have; what is deeper cannot be written as JSON again without risk to the stack. */
const depthMax = 500;

/** Why a value is refused, or `undefined` where it is within its limits. */
export type ResultFault = 'too_large' | 'too_deep' | undefined;

/**
 * Checks a parsed JSON value against a limit on the bytes of its JSON in UTF-8. Most values are passed by a bound that
 * costs no copy; only one that may be near the limit is written out and measured.
 */
export function resultFault(value: unknown, bytesMax: number): ResultFault {
  const { bytesBound, depth } = measure(value);
  if (depth > depthMax) return 'too_deep';
  if (bytesBound <= bytesMax) return undefined;
  return Buffer.byteLength(JSON.stringify(value)) > bytesMax ? 'too_large' : undefined;
}

// The longest a UTF-16 unit gets in JSON is its escape, \uXXXX; the longest a number gets is 24 digits and signs.
const bytesPerUnitMax = 6;
const bytesPerScalarMax = 25;

/** At least as many bytes as the JSON of the value has, and how deep it is nested. Needs no stack. */
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

/** How a limited body ends; each is told at most once. */
export interface BodyWatcher {
  /** More bytes than allowed came; the body fails with an error of ours. */
  onExceeded(): void;
  /** The body came to its regular end. */
  onEnded(): void;
}

/**
 * The response with its body limited to `bytesMax` bytes, or, where it is a stream of server-sent events, to as many
 * bytes between two blank lines, so that a stream may live as long as it likes.
 */
export function limitedResponse(response: Response, bytesMax: number, watcher: BodyWatcher): Response {
  if (response.body === null) return response;
  const isEventStream = response.headers.get('content-type')?.startsWith('text/event-stream') ?? false;
  let bytes = 0;
  const limit = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      const boundary = isEventStream ? lastBlankLine(chunk) : -1;
      const bytesReached = bytes + (boundary < 0 ? chunk.length : boundary);
      bytes = boundary < 0 ? bytesReached : chunk.length - boundary;
      if (bytesReached > bytesMax || bytes > bytesMax) {
        watcher.onExceeded();
        controller.error(new Error('response too large'));
        return;
      }
      controller.enqueue(chunk);
    },
    flush: () => watcher.onEnded(),
  });
  const { status, statusText, headers } = response;
  return new Response(response.body.pipeThrough(limit), { status, statusText, headers });
}

const blankLines = ['\n\n', '\r\n\r\n', '\r\r'].map((text) => Buffer.from(text));

/** Where the last blank line of the chunk begins, or -1. */
function lastBlankLine(chunk: Uint8Array): number {
  const buffer = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  return Math.max(...blankLines.map((blankLine) => buffer.lastIndexOf(blankLine)));
}
