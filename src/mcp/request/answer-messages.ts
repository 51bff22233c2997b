/** The JSON-RPC messages in a response of Streamable HTTP, which is JSON or a stream of events. */
import { EventSourceParserStream } from 'eventsource-parser/stream';
import { isJsonObject, parsedJson } from '../../shapes/json.ts';

/** The JSON text of each message, as it arrives. An error without an id gets that of the request. */
export async function* messagesOf(answer: Response | string, requestId: unknown): AsyncGenerator<string> {
  if (typeof answer === 'string') {
    yield answer;
  } else if (answer.headers.get('content-type')?.startsWith('text/event-stream') && answer.body !== null) {
    yield* eventsOf(answer.body);
  } else {
    const message = parsedJson(await answer.text());
    if (!isJsonObject(message) || message.jsonrpc !== '2.0') return;
    yield JSON.stringify('error' in message ? { ...message, id: message.id ?? requestId ?? null } : message);
  }
}

async function* eventsOf(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const events = body.pipeThrough(new TextDecoderStream()).pipeThrough(new EventSourceParserStream());
  for await (const { data } of events) {
    if (data !== '') yield data;
  }
}
