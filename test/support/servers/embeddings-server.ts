/**
 * An embeddings service with the API of OpenAI, whose vectors count words, so that equal words give equal vectors. It
 * records its requests, and can be slow, fail, limit requests, hang and send invalid responses.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { stemOf, textStems } from '../../../src/search-index/words/tokenizer.ts';

/** A fault with which the service responds to the next requests. */
export type EmbeddingsFault =
  | { kind: 'none' }
  | { kind: 'status'; status: number; retryAfter?: string; location?: string }
  | { kind: 'slow'; ms: number }
  | { kind: 'hang' }
  | { kind: 'body'; body: string };

/** A received request. */
export interface EmbeddingsRequest {
  path: string;
  authorization: string | undefined;
  model: string;
  input: string[];
}

/** The running service. */
export interface EmbeddingsServer extends AsyncDisposable {
  url: string;
  requests: EmbeddingsRequest[];
  /** The largest number of concurrent requests so far. */
  concurrencyMax(): number;
  /** Sets the fault of the next `times` requests, by default of all further ones. */
  fail(fault: EmbeddingsFault, times?: number): void;
  /** Groups of synonyms. A vector counts each word of a group as the first one. */
  synonyms: string[][];
  dimensions: number;
}

/** Starts the service on a free port. */
export async function startEmbeddingsServer(): Promise<EmbeddingsServer> {
  const requests: EmbeddingsRequest[] = [];
  let fault: EmbeddingsFault = { kind: 'none' };
  let faultsLeft = 0;
  let running = 0;
  let runningMax = 0;
  const server = createServer((request, response) => {
    running += 1;
    runningMax = Math.max(runningMax, running);
    const next = faultsLeft > 0 ? fault : ({ kind: 'none' } as const);
    faultsLeft -= 1;
    void answer(request, response, next).finally(() => {
      running -= 1;
    });
  });
  async function answer(request: IncomingMessage, response: ServerResponse, next: EmbeddingsFault): Promise<void> {
    const chunks: Uint8Array[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const { model, input } = JSON.parse(Buffer.concat(chunks).toString());
    requests.push({ path: request.url ?? '', authorization: request.headers.authorization, model, input });
    if (next.kind === 'hang') return;
    if (next.kind === 'slow') await delay(next.ms);
    if (next.kind === 'status') {
      response.writeHead(next.status, {
        ...(next.retryAfter !== undefined && { 'retry-after': next.retryAfter }),
        ...(next.location !== undefined && { location: next.location }),
      });
      response.end('{"error":{"message":"a secret of the upstream"}}');
      return;
    }
    response.setHeader('content-type', 'application/json');
    response.end(next.kind === 'body' ? next.body : JSON.stringify(embedded(started, model, input)));
  }
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const started: EmbeddingsServer = {
    url: `http://127.0.0.1:${port}/v1/embeddings`,
    requests,
    concurrencyMax: () => runningMax,
    fail(nextFault, times = Number.POSITIVE_INFINITY) {
      fault = nextFault;
      faultsLeft = times;
    },
    synonyms: [],
    dimensions: 509,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return started;
}

function embedded({ synonyms, dimensions }: EmbeddingsServer, model: string, input: string[]) {
  const data = input.map((text, index) => ({ index, embedding: vectorOf(text, synonyms, dimensions) }));
  const tokens = input.reduce((sum, text) => sum + textStems(text).length, 0);
  // In reverse order, since clients must assign vectors to texts by `index`.
  return { object: 'list', model, data: data.toReversed(), usage: { prompt_tokens: tokens, total_tokens: tokens } };
}

/** Counts words, each in a dimension chosen by its hash. Synonyms share a dimension. */
function vectorOf(text: string, synonyms: string[][], dimensions: number): number[] {
  const vector = Array.from({ length: dimensions }, () => 0);
  for (const term of textStems(text)) {
    const word = synonyms.find((group) => group.map(stemOf).includes(term))?.[0] ?? term;
    const dimension =
      [...word].reduce((sum, character) => (sum * 31 + (character.codePointAt(0) ?? 0)) % 1_000_003, 7) % dimensions;
    vector[dimension] = (vector[dimension] ?? 0) + 1;
  }
  return vector.some((value) => value > 0) ? vector : vector.with(0, 1);
}
