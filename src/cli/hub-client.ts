/**
 * An HTTP client of the hub's API for commands: one API key, parsed responses, errors as one line.
 * Each request starts a trace of its own, so that the user can look it up afterwards.
 */

import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { systemErrorCode } from '../flow/system-error.ts';
import { parsedJson } from '../shapes/json.ts';
import { pageSchema } from '../shapes/page.ts';
import { printable, truncated } from '../shapes/text.ts';
import { problemSchema } from '../shapes/violation.ts';
import { CommandError, exitCodes } from './command-error.ts';

/** One request. `json` and `text` are bodies. Without either, the request has no body. */
export interface HubRequest {
  method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  json?: unknown;
  text?: { type: string; content: string };
  signal?: AbortSignal | undefined;
  /** The header of the span that it belongs to; by default, of a trace of its own. */
  traceparent?: string;
}

/** A response: status, parsed body (undefined if there is none), and the id of the trace that the request started. */
export interface HubAnswer {
  status: number;
  body: unknown;
  traceId: string;
}

/** A client of one hub with one API key. */
export interface HubClient {
  /** Its origin, without a path. */
  readonly url: string;
  readonly key: string;
  /** The same hub with another key. */
  withKey(key: string): HubClient;
  /**
   * Sends a request and returns the response, whatever its status.
   * @throws CommandError if no hub responds; the reason of `signal` once it aborts
   */
  send(path: string, options?: HubRequest): Promise<HubAnswer>;
  /** Sends a request and parses the body. @throws CommandError as {@link send}, for an error status, and for an invalid body */
  request<Schema extends z.ZodType>(path: string, schema: Schema, options?: HubRequest): Promise<z.infer<Schema>>;
  /** Fetches all items of a paged list. @throws CommandError as {@link request} */
  list<Schema extends z.ZodType>(path: string, item: Schema, signal?: AbortSignal): Promise<z.infer<Schema>[]>;
  /** Yields the body as it arrives. @throws CommandError as {@link request} */
  stream(path: string, signal?: AbortSignal): AsyncIterable<string>;
}

/** What is read of problem details; a hub of another version may have other codes. */
const refusalSchema = problemSchema
  .pick({ detail: true, traceId: true, violations: true })
  .extend({ code: z.string(), content: z.array(z.looseObject({ text: z.string().optional() })).optional() });
const messageLengthMax = 500;
const pageSizeMax = 200;
/** Maximum pages of one list, so that a hub that always returns a next page cannot keep a command running. */
const pagesMax = 5000;

/** A `traceparent` header with random ids and the sampled flag. Source: W3C Trace Context, version 00. */
function newTraceparent(): string {
  return `00-${randomBytes(16).toString('hex')}-${randomBytes(8).toString('hex')}-01`;
}

/** The id of the trace of a `traceparent` header. */
function traceIdOf(traceparent: string): string {
  return traceparent.slice(3, 35);
}

/** Creates a client of the hub at `url`. */
export function createHubClient({ url, key }: { url: string; key: string }): HubClient {
  const origin = new URL(url).origin;
  const fetchPath = (path: string, options: HubRequest, traceparent: string) =>
    fetchResponse(origin, path, {
      method: options.method ?? (options.json === undefined ? 'GET' : 'POST'),
      headers: headersOf(key, options, traceparent),
      ...bodyOf(options),
      ...(options.signal && { signal: options.signal }),
    });
  const send: HubClient['send'] = async (path, options = {}) => {
    const { traceparent = newTraceparent() } = options;
    const response = await fetchPath(path, options, traceparent);
    const text = await response.text();
    return { status: response.status, body: parsedJson(text), traceId: traceIdOf(traceparent) };
  };
  const request: HubClient['request'] = async (path, schema, options) => {
    const answer = await send(path, options);
    if (answer.status >= 400) throw refusal(origin, answer);
    const parsed = schema.safeParse(answer.body);
    if (parsed.success) return parsed.data;
    throw new CommandError(exitCodes.failed, `${origin} did not answer as a hub of this version does`);
  };
  return {
    url: origin,
    key,
    withKey: (other) => createHubClient({ url, key: other }),
    send,
    request,
    list: (path, item, signal) => listAll(request, { path, item, signal }),
    stream: async function* (path, signal) {
      const traceparent = newTraceparent();
      const response = await fetchPath(path, { signal }, traceparent);
      if (!response.ok) {
        const body = parsedJson(await response.text());
        throw refusal(origin, { status: response.status, body, traceId: traceIdOf(traceparent) });
      }
      const decoder = new TextDecoder();
      for await (const chunk of response.body ?? []) yield decoder.decode(chunk, { stream: true });
      yield decoder.decode();
    },
  };
}

async function listAll<Schema extends z.ZodType>(
  request: HubClient['request'],
  { path, item, signal }: { path: string; item: Schema; signal: AbortSignal | undefined },
): Promise<z.infer<Schema>[]> {
  const schema = pageSchema(item);
  const items = [];
  let cursor: string | undefined;
  for (let page = 0; page < pagesMax; page += 1) {
    const query = new URLSearchParams({ limit: String(pageSizeMax), ...(cursor !== undefined && { cursor }) });
    const answer = await request(`${path}${path.includes('?') ? '&' : '?'}${query}`, schema, { signal });
    items.push(...answer.items);
    cursor = answer.nextCursor;
    if (cursor === undefined) break;
  }
  return items;
}

function headersOf(key: string, { json, text }: HubRequest, traceparent: string): Record<string, string> {
  const type = json === undefined ? text?.type : 'application/json';
  return {
    authorization: `Bearer ${key}`,
    traceparent,
    ...(type !== undefined && { 'content-type': type }),
  };
}

function bodyOf({ json, text }: HubRequest): { body?: string } {
  if (json !== undefined) return { body: JSON.stringify(json) };
  return text === undefined ? {} : { body: text.content };
}

async function fetchResponse(origin: string, path: string, init: RequestInit): Promise<Response> {
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
  return systemErrorCode(cause) ?? 'the connection failed';
}

function refusal(origin: string, { status, body, traceId }: HubAnswer): CommandError {
  const problem = refusalSchema.safeParse(body);
  if (!problem.success) return new CommandError(exitCodes.failed, `${origin} answered with status ${status}`);
  const { code, detail, violations = [], content = [] } = problem.data;
  const named = violations.map(({ field, message }) => `${field}: ${message}`).filter((text) => !detail.includes(text));
  const upstream = content.flatMap(({ text }) => text ?? []);
  const text = [detail, ...named, ...upstream].join('; ');
  const message = `${printable(truncated(text, messageLengthMax))} (${code}, trace ${problem.data.traceId ?? traceId})`;
  return new CommandError(exitCodes.failed, message);
}
