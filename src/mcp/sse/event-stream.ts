/** A stream of server-sent events with a bounded buffer. A client that reads slowly slows down what is sent to it. */

/** The writing end of a stream. */
export interface EventStream {
  /** The response with the stream as its body. */
  response: Response;
  /** Sends an event as soon as the buffer has room; sends nothing once the stream has ended. */
  send(event: string, data: string): Promise<void>;
  /** Sends a comment, which keeps the connection open; false where the client read nothing since the last one. */
  keepAlive(): boolean;
  end(): void;
}

/** The size of the buffer, in bytes. One event may exceed it. */
const bufferBytesMax = 1_048_576;

const headers = {
  'content-type': 'text/event-stream',
  'cache-control': 'no-cache, no-transform',
  // Asks a reverse proxy (nginx) to pass each event on at once.
  'x-accel-buffering': 'no',
};

/** Opens a stream; `onCancel` is called when the client disconnects. */
export function createEventStream(onCancel: () => void): EventStream {
  const encoder = new TextEncoder();
  let room = Promise.withResolvers<void>();
  let isEnded = false;
  let wasFull = false;
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  const release = () => {
    wasFull = false;
    room.resolve();
    room = Promise.withResolvers();
  };
  const stop = () => {
    isEnded = true;
    release();
  };
  const body = new ReadableStream<Uint8Array>(
    {
      start: (started) => {
        controller = started;
      },
      // Called only while there is room, so after a full buffer it says that the client read.
      pull: release,
      cancel: () => {
        stop();
        onCancel();
      },
    },
    { highWaterMark: bufferBytesMax, size: (chunk) => chunk.byteLength },
  );
  const isFull = () => (controller?.desiredSize ?? 0) <= 0;
  return {
    response: new Response(body, { headers }),
    send: async (event, data) => {
      while (!isEnded && isFull()) await room.promise;
      if (!isEnded) controller?.enqueue(encoder.encode(eventText(event, data)));
    },
    keepAlive: () => {
      if (isEnded || (isFull() && wasFull)) return false;
      wasFull = isFull();
      if (!wasFull) controller?.enqueue(encoder.encode(': keep-alive\n\n'));
      return true;
    },
    end: () => {
      if (isEnded) return;
      stop();
      controller?.close();
    },
  };
}

/** The text of an event. Line breaks in JSON are blanks between its tokens, but would end the data of an event. */
function eventText(event: string, data: string): string {
  return `event: ${event}\ndata: ${data.replaceAll(/[\r\n]+/g, ' ')}\n\n`;
}
