/**
 * The hub's HTTP API as commands use it: one key, answers parsed once, refusals as one line. Knows no command.
 * Each request begins a trace of its own, so that whoever asked can look it up afterwards.
 */

import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { parsedJson } from '../shapes/json.ts';
import { printable, truncated } from '../shapes/text.ts';
import { CommandError, exitCodes } from './command-error.ts';

/** One request. `json` and `text` are bodies; without either there is none. */
export interface HubRequest {
  method?: 'GET' | 'POST' | 'PUT' | 'DELETE';
  json?: unknown;
  text?: { type: string; content: string };
  signal?: AbortSignal | undefined;
  /** The trace it begins, 32 hexadecimal digits; drawn where none is given. */
  traceId?: string;
}

/** What was answered: status, parsed body (undefined for none), and the trace that the request began. */
export interface HubAnswer {
  status: number;
  body: unknown;
  traceId: string;
}

/** A hub and a key to it. */
export interface HubClient {
  /** Its origin, without a path. */
  readonly url: string;
  readonly key: string;
  /** The same hub with another key. */
  withKey(key: string): HubClient;
  /** Sends; a refusal is an answer. @throws CommandError where no hub answers; what aborts `signal` where that ends it. */
  send(path: string, request?: HubRequest): Promise<HubAnswer>;
  /** Sends and parses. @throws CommandError also where the hub refuses or answers something else. */
  ask<Schema extends z.ZodType>(path: string, schema: Schema, request?: HubRequest): Promise<z.infer<Schema>>;
  /** All items of a paged list. @throws CommandError as {@link ask}. */
  list<Schema extends z.ZodType>(path: string, item: Schema, signal?: AbortSignal): Promise<z.infer<Schema>[]>;
  /** The answer's bytes as they come. @throws CommandError as {@link ask}. */
  stream(path: string, signal?: AbortSignal): AsyncIterable<string>;
}

const problemSchema = z.object({
  code: z.string(),
  detail: z.string(),
  traceId: z.string().optional(),
  violations: z.array(z.object({ field: z.string(), message: z.string() })).default([]),
});
const messageLengthMax = 500;
const pageSizeMax = 200;
/** Pages of one list, so that a hub that answers for ever ends. */
const pagesMax = 5000;

/** A trace's id that nobody has yet. */
export function newTraceId(): string {
  return randomBytes(16).toString('hex');
}

/** The sampled parent of a request in a trace. Source: W3C Trace Context, version 00. */
export function newTraceparent(traceId: string): string {
  return `00-${traceId}-${randomBytes(8).toString('hex')}-01`;
}

/** A client of the hub at `url`. */
export function createHubClient({ url, key }: { url: string; key: string }): HubClient {
  const origin = new URL(url).origin;
  const fetchPath = (path: string, request: HubRequest, traceId: string) =>
    fetchAnswer(origin, path, {
      method: request.method ?? (request.json === undefined ? 'GET' : 'POST'),
      headers: headersOf(key, request, traceId),
      ...bodyOf(request),
      ...(request.signal && { signal: request.signal }),
    });
  const send: HubClient['send'] = async (path, request = {}) => {
    const { traceId = newTraceId() } = request;
    const response = await fetchPath(path, request, traceId);
    const text = await response.text();
    return { status: response.status, body: parsedJson(text), traceId };
  };
  const ask: HubClient['ask'] = async (path, schema, request) => {
    const answer = await send(path, request);
    if (answer.status >= 400) throw refusal(origin, answer);
    const parsed = schema.safeParse(answer.body);
    if (parsed.success) return parsed.data;
    throw new CommandError(exitCodes.failed, `${origin} answered something else than a hub of this version would`);
  };
  return {
    url: origin,
    key,
    withKey: (other) => createHubClient({ url, key: other }),
    send,
    ask,
    list: (path, item, signal) => listAll(ask, { path, item, signal }),
    stream: async function* (path, signal) {
      const traceId = newTraceId();
      const response = await fetchPath(path, { signal }, traceId);
      if (!response.ok)
        throw refusal(origin, { status: response.status, body: parsedJson(await response.text()), traceId });
      const decoder = new TextDecoder();
      for await (const chunk of response.body ?? []) yield decoder.decode(chunk, { stream: true });
      yield decoder.decode();
    },
  };
}

async function listAll<Schema extends z.ZodType>(
  ask: HubClient['ask'],
  { path, item, signal }: { path: string; item: Schema; signal: AbortSignal | undefined },
): Promise<z.infer<Schema>[]> {
  const pageSchema = z.object({ items: z.array(item), nextCursor: z.string().optional() });
  const items = [];
  let cursor: string | undefined;
  for (let page = 0; page < pagesMax; page += 1) {
    const query = new URLSearchParams({ limit: String(pageSizeMax), ...(cursor !== undefined && { cursor }) });
    const answer = await ask(`${path}${path.includes('?') ? '&' : '?'}${query}`, pageSchema, { signal });
    items.push(...answer.items);
    cursor = answer.nextCursor;
    if (cursor === undefined) break;
  }
  return items;
}

function headersOf(key: string, { json, text }: HubRequest, traceId: string): Record<string, string> {
  const type = json === undefined ? text?.type : 'application/json';
  return {
    authorization: `Bearer ${key}`,
    traceparent: newTraceparent(traceId),
    ...(type !== undefined && { 'content-type': type }),
  };
}

function bodyOf({ json, text }: HubRequest): { body?: string } {
  if (json !== undefined) return { body: JSON.stringify(json) };
  return text === undefined ? {} : { body: text.content };
}

async function fetchAnswer(origin: string, path: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(`${origin}${path}`, init);
  } catch (cause) {
    if (init.signal?.aborted) throw cause;
    const hint = 'start one with "npm start", or name another with --url';
    throw new CommandError(exitCodes.unreachable, `no hub answers at ${origin} (${reasonOf(cause)}); ${hint}`, {
      cause,
    });
  }
}

function reasonOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return cause instanceof Error && 'code' in cause ? String(cause.code) : 'the connection failed';
}

function refusal(origin: string, { status, body, traceId }: HubAnswer): CommandError {
  const problem = problemSchema.safeParse(body);
  if (!problem.success) return new CommandError(exitCodes.failed, `${origin} answered with status ${status}`);
  const { code, detail, violations } = problem.data;
  const named = violations.map(({ field, message }) => `${field}: ${message}`).filter((text) => !detail.includes(text));
  const text = [detail, ...named].join('; ');
  const message = `${printable(truncated(text, messageLengthMax))} (${code}, trace ${problem.data.traceId ?? traceId})`;
  return new CommandError(exitCodes.failed, message);
}
