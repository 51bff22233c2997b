/** Rewrites the messages in a stream of server-sent events of an upstream server. */
import { TextDecoderStream, TextEncoderStream, TransformStream } from 'node:stream/web';
import { createTimeSlices } from '../../flow/time-slices.ts';

/**
 * The stream, in which `rewrite` has seen the data of each event. An event that it returns unchanged is passed on as it is.
 * The caller limits the length of an event. Events are passed on in time slices: streams go from one event to the next without a
 * turn of the event loop, which a flood of short events would hold.
 */
export function rewrittenEvents(
  stream: ReadableStream<Uint8Array>,
  rewrite: (data: string) => string,
): ReadableStream<Uint8Array> {
  let pending = '';
  // The end of an event: a blank line, in any of the three spellings of a line break.
  const blankLine = /\r\n\r\n|\n\n|\r\r/g;
  const slice = createTimeSlices();
  const events = new TransformStream<string, string>({
    transform: async (chunk, controller) => {
      // A blank line may begin in the text before the chunk, at most three characters earlier.
      blankLine.lastIndex = Math.max(0, pending.length - 3);
      pending += chunk;
      let end = 0;
      for (let match = blankLine.exec(pending); match !== null; match = blankLine.exec(pending)) {
        controller.enqueue(rewrittenEvent(pending.slice(end, blankLine.lastIndex), rewrite));
        end = blankLine.lastIndex;
        await slice();
      }
      pending = pending.slice(end);
    },
    flush: (controller) => {
      if (pending !== '') controller.enqueue(rewrittenEvent(pending, rewrite));
    },
  });
  return stream.pipeThrough(new TextDecoderStream()).pipeThrough(events).pipeThrough(new TextEncoderStream());
}

function rewrittenEvent(event: string, rewrite: (data: string) => string): string {
  const lines = event.split(/\r\n|\n|\r/);
  const isData = (line: string) => line.startsWith('data:');
  const data = lines
    .filter(isData)
    .map((line) => line.slice('data:'.length).replace(/^ /, ''))
    .join('\n');
  const rewritten = data === '' ? data : rewrite(data);
  if (rewritten === data) return event;
  const others = lines.filter((line) => line !== '' && !isData(line));
  return `${[...others, `data: ${rewritten}`].join('\n')}\n\n`;
}
