/**
 * A request to a server of the 2025 protocols that spans several requests of a client of 2026-07-28. What the server
 * asks meanwhile is a result that requires input (multi-round-trip requests, SEP-2322); the client repeats its request with it.
 */
import { randomBytes } from 'node:crypto';
import { ProtocolError, type Result, type ServerContext } from '@modelcontextprotocol/server';
import { isJsonObject, type JsonObject } from '../../shapes/json.ts';
import type { ToolProgress } from '../../shapes/tool.ts';
import { progressRelay } from '../request/tool-calls.ts';
import type { ClientListener } from './client-profile.ts';

/** What the work of a request gets: the client as the server gets to know it, and what ends the work. */
export interface OpenRequestWork {
  listener: ClientListener;
  onProgress: (progress: ToolProgress) => void;
  signal: AbortSignal;
}

/** A request that goes on. */
export interface OpenRequest {
  /** The `requestState` by which the client finds it again. It cannot be guessed. */
  readonly state: string;
  /** Passes answers of the client on. @throws ProtocolError -32602 for one that is no object */
  accept(responses: unknown): void;
  /** The answer to a request of the client: the result of the server, or what it asks. `signal` aborts if the client leaves. */
  next(ctx: ServerContext, signal: AbortSignal): Promise<Result>;
  /** Ends the request. */
  abort(): void;
}

/** What a request is made of. */
export interface OpenRequestOptions {
  method: string;
  work: (work: OpenRequestWork) => Promise<Result>;
  /** How long the client may take to answer, in milliseconds. */
  answerMsMax: number;
  /** Called once, when nothing is left to answer. */
  onClosed: () => void;
}

interface Question {
  method: string;
  params: JsonObject;
  answer: PromiseWithResolvers<JsonObject>;
}

type Ending = { result: Result } | { error: unknown };

const stateBytes = 24;

/** Begins the work of a request. */
export function openRequest(options: OpenRequestOptions): OpenRequest {
  return new SpanningRequest(options);
}

class SpanningRequest implements OpenRequest {
  readonly state = randomBytes(stateBytes).toString('base64url');
  readonly #options: OpenRequestOptions;
  readonly #ending = new AbortController();
  readonly #questions = new Map<string, Question>();
  #questionsCount = 0;
  #changed = Promise.withResolvers<void>();
  #ended: Ending | undefined;
  /** The request of the client that waits for an answer. */
  #round: ServerContext | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: OpenRequestOptions) {
    this.#options = options;
    const listener: ClientListener = {
      onRequest: (request, signal) => this.#ask(request, signal),
      onNotification: (notification) => void this.#round?.mcpReq.notify(notification).catch(() => {}),
    };
    const onProgress = (progress: ToolProgress) => {
      if (this.#round !== undefined) progressRelay(this.#round)?.(progress);
    };
    void options.work({ listener, onProgress, signal: this.#ending.signal }).then(
      (result) => this.#finish({ result }),
      (error: unknown) => this.#finish({ error }),
    );
  }

  accept(responses: unknown): void {
    acceptAnswers(this.#questions, responses);
  }

  async next(ctx: ServerContext, signal: AbortSignal): Promise<Result> {
    clearTimeout(this.#timer);
    const onLeft = () => this.#ending.abort();
    signal.addEventListener('abort', onLeft, { once: true });
    if (signal.aborted) onLeft();
    this.#round = ctx;
    try {
      while (this.#ended === undefined && this.#questions.size === 0) await this.#changed.promise;
    } finally {
      this.#round = undefined;
      signal.removeEventListener('abort', onLeft);
    }
    const ended = this.#ended;
    if (ended === undefined) {
      this.#timer = setTimeout(() => this.abort(), this.#options.answerMsMax).unref();
      return inputRequired(this.#options.method, this.#questions, this.state);
    }
    this.abort();
    if ('error' in ended) throw ended.error;
    return ended.result;
  }

  abort(): void {
    clearTimeout(this.#timer);
    this.#ending.abort();
    this.#options.onClosed();
  }

  async #ask(request: Omit<Question, 'answer'>, signal: AbortSignal): Promise<JsonObject> {
    this.#questionsCount += 1;
    const id = `input_${this.#questionsCount}`;
    const answer = Promise.withResolvers<JsonObject>();
    const onLeft = () => answer.reject(new ProtocolError(-32603, 'the client did not answer'));
    const left = AbortSignal.any([signal, this.#ending.signal]);
    left.addEventListener('abort', onLeft, { once: true });
    if (left.aborted) onLeft();
    this.#questions.set(id, { ...request, answer });
    this.#wake();
    try {
      return await answer.promise;
    } finally {
      this.#questions.delete(id);
      left.removeEventListener('abort', onLeft);
    }
  }

  #finish(how: Ending): void {
    this.#ended = how;
    this.#wake();
  }

  #wake(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}

/** Answers that are missing are asked for again; those to no question are left out. */
function acceptAnswers(questions: Map<string, Question>, responses: unknown): void {
  if (responses === undefined) return;
  if (!isJsonObject(responses)) throw new ProtocolError(-32602, 'params.inputResponses: must be an object');
  for (const [id, question] of [...questions]) {
    const response = responses[id];
    if (response === undefined) continue;
    if (!isJsonObject(response)) throw new ProtocolError(-32602, `params.inputResponses.${id}: must be an object`);
    questions.delete(id);
    question.answer.resolve(response);
  }
}

function inputRequired(method: string, questions: ReadonlyMap<string, Question>, requestState: string): Result {
  const asked = [...questions].map(([id, question]) => [id, { method: question.method, params: question.params }]);
  return {
    resultType: 'input_required',
    // The library requires the content of a tool's result.
    ...(method === 'tools/call' && { content: [] }),
    inputRequests: Object.fromEntries(asked),
    requestState,
  };
}
