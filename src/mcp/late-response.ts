/**
 * Responses that take long. Clients and proxies give up a connection without bytes, so that after a while such a response
 * becomes a stream of events: comments until the answer is there, then the answer as its last event.
 */

/** What the endpoint answers with: a response, or the JSON-RPC message that is the complete body of a 200. */
export type Answer = Response | string;

/** How long a connection stays without bytes, in milliseconds: less than the idle timeouts of common proxies (60 s). */
export const keepAliveMs = 15_000;

const eventStreamType = 'text/event-stream';
const streamHeaders = { 'content-type': eventStreamType, 'cache-control': 'no-cache' };

/**
 * The answer, if it is there within `afterMs`, or else a stream of events that ends with it. A client that accepts no
 * stream of events gets the answer, however long it takes.
 * @param accept the header of the request
 */
export async function keptAlive(
  answer: Promise<Answer>,
  accept: string | null,
  afterMs = keepAliveMs,
): Promise<Answer> {
  if (accept?.includes(eventStreamType) !== true) return answer;
  const { promise: late, resolve } = Promise.withResolvers<undefined>();
  const timer = setTimeout(resolve, afterMs, undefined);
  try {
    return (await Promise.race([answer, late])) ?? lateResponse(answer, afterMs);
  } finally {
    clearTimeout(timer);
  }
}

/** A stream of events that ends without an answer, for a request whose client has cancelled it and expects none. */
export function cancelledResponse(): Response {
  return new Response('', { headers: streamHeaders });
}

function lateResponse(answer: Promise<Answer>, intervalMs: number): Response {
  const encoder = new TextEncoder();
  let timer: NodeJS.Timeout | undefined;
  let isCancelled = false;
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => {
      const comment = () => {
        if ((controller.desiredSize ?? 0) > 0) controller.enqueue(encoder.encode(': keep-alive\n\n'));
      };
      comment();
      timer = setInterval(comment, intervalMs);
    },
    pull: async (controller) => {
      try {
        for await (const chunk of eventsOf(await answer)) {
          if (isCancelled) return;
          clearInterval(timer);
          controller.enqueue(typeof chunk === 'string' ? encoder.encode(chunk) : chunk);
        }
        if (!isCancelled) controller.close();
      } catch (error) {
        if (!isCancelled) controller.error(error);
      } finally {
        clearInterval(timer);
      }
    },
    cancel: () => {
      isCancelled = true;
      clearInterval(timer);
    },
  });
  return new Response(body, { headers: streamHeaders });
}

/** The answer as events: a stream as it is, a message as one event. */
async function* eventsOf(answer: Answer): AsyncGenerator<string | Uint8Array> {
  if (typeof answer !== 'string' && answer.headers.get('content-type')?.includes(eventStreamType)) {
    if (answer.body !== null) yield* answer.body;
    return;
  }
  const message = typeof answer === 'string' ? answer : await answer.text();
  if (message !== '') yield `event: message\ndata: ${message}\n\n`;
}
