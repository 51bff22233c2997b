/**
 * A stream of server-sent events with a bounded buffer. A client that reads slowly slows down what is sent to it, one event
 * after the other.
 */

/** The writing end of a stream. */
export interface EventStream {
  /** The response with the stream as its body. */
  response: Response;
  /** Sends an event, in parts, as the buffer has room. Resolves once all of it is in the buffer. Sends nothing once the stream has ended. */
  send(event: string, data: string): Promise<void>;
  /** Sends a comment, which keeps the connection open, unless an event is being sent; false where the client read nothing since the last one. */
  keepAlive(): boolean;
  end(): void;
}

/** The size of the buffer, in bytes. One part of an event may exceed it. */
const bufferBytesMax = 1_048_576;
/** The longest part of an event, in bytes. */
const partBytesMax = 65_536;

const headers = {
  'content-type': 'text/event-stream',
  'cache-control': 'no-cache, no-transform',
  // Asks a reverse proxy (nginx) to pass each event on at once.
  'x-accel-buffering': 'no',
};

const encoder = new TextEncoder();

/** Opens a stream; `onCancel` is called when the client disconnects. */
export function createEventStream(onCancel: () => void): EventStream {
  const room = createRoom();
  let isEnded = false;
  let wasFull = false;
  const sending = createSequence();
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  const release = () => {
    wasFull = false;
    room.release();
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
      pull: release, // Called while there is room only: after a full buffer it says that the client read.
      cancel: () => {
        stop();
        onCancel();
      },
    },
    { highWaterMark: bufferBytesMax, size: (chunk) => chunk.byteLength },
  );
  const isFull = () => (controller?.desiredSize ?? 0) <= 0;
  const write = async (text: string) => {
    for (const part of partsOf(encoder.encode(text))) {
      while (!isEnded && isFull()) await room.wait();
      if (!isEnded) controller?.enqueue(part);
    }
  };
  return {
    response: new Response(body, { headers }),
    send: (event, data) => sending.run(() => write(eventText(event, data))),
    keepAlive: () => {
      if (isEnded || (isFull() && wasFull)) return false;
      wasFull = isFull();
      if (!wasFull && !sending.isRunning()) controller?.enqueue(encoder.encode(': keep-alive\n\n'));
      return true;
    },
    end: () => {
      if (isEnded) return;
      stop();
      controller?.close();
    },
  };
}

/** Lets what waits go on each time that it is released. */
function createRoom() {
  let current = Promise.withResolvers<void>();
  return {
    wait: () => current.promise,
    release: () => {
      current.resolve();
      current = Promise.withResolvers();
    },
  };
}

/** Runs work one after the other. */
function createSequence() {
  let count = 0;
  let last = Promise.resolve();
  return {
    isRunning: () => count > 0,
    run: (work: () => Promise<void>): Promise<void> => {
      count += 1;
      last = last.then(work).finally(() => {
        count -= 1;
      });
      return last;
    },
  };
}

function* partsOf(bytes: Uint8Array<ArrayBuffer>): Generator<Uint8Array<ArrayBuffer>> {
  for (let from = 0; from < bytes.length; from += partBytesMax) yield bytes.subarray(from, from + partBytesMax);
}

/** The text of an event. Line breaks in JSON are blanks between its tokens, but would end the data of an event. */
function eventText(event: string, data: string): string {
  return `event: ${event}\ndata: ${data.replaceAll(/[\r\n]+/g, ' ')}\n\n`;
}
