/**
 * Batches of JSON-RPC messages (MCP 2025-03-26): arrays of messages, answered by arrays of responses.
 * The messages are answered one after the other, and each counts as a request.
 */
import { setImmediate } from 'node:timers/promises';
import { ProtocolError } from '@modelcontextprotocol/server';
import { isJsonObject, parsedJson } from '../../shapes/json.ts';
import type { Log } from '../../telemetry/log.ts';
import type { Answer } from '../late-response.ts';
import { jsonRpcRefusal } from '../refusal.ts';
import { isOpening, requestId } from '../request-body.ts';
import { protocolError } from '../tool-result.ts';
import { messagesOf } from './answer-messages.ts';

/** How the messages of a request are admitted. */
export interface BatchOptions {
  /**
   * Admits a further message of the same request: counts it against the rate limit of its key, and waits for its turn.
   * @throws HestiaError RATE_LIMITED
   */
  nextMessage?: () => Promise<void>;
}

/** The most messages of a batch. */
export const batchMessagesMax = 100;

/** What {@link answerEach} needs beside the message. */
export interface BatchContext extends BatchOptions {
  /** Aborts when the client has gone; what remains of the batch is not answered. */
  signal: AbortSignal;
  log: Log;
}

/**
 * Answers a message, or each message of a batch. Where a message of a batch is not admitted, it and those after it are refused.
 * @param answerOne answers one message; of its answer the batch has the responses, not the notifications
 * @returns for a batch the JSON array of the responses; a 202 without a body if all messages are notifications
 */
export async function answerEach(
  body: unknown,
  answerOne: (message: unknown) => Promise<Answer>,
  { signal, log, nextMessage = async () => undefined }: BatchContext,
): Promise<Answer> {
  if (!Array.isArray(body)) return answerOne(body);
  const fault = faultOf(body);
  if (fault !== undefined) return jsonRpcRefusal(400, invalid(fault));
  const responses: string[] = [];
  let refusal: ProtocolError | undefined;
  for (const [index, message] of body.entries()) {
    if (signal.aborted) break;
    const id = requestId(message);
    if (index > 0) refusal ??= await refusalOf(nextMessage, log);
    const answer = refusal === undefined ? await answerOne(message) : refused(id, refusal);
    for await (const text of messagesOf(answer, id)) if (isResponse(text)) responses.push(text);
    // Other requests are served between two messages.
    await setImmediate();
  }
  return responses.length === 0 ? new Response(null, { status: 202 }) : `[${responses.join(',')}]`;
}

async function refusalOf(admit: () => Promise<void>, log: Log): Promise<ProtocolError | undefined> {
  try {
    await admit();
    return undefined;
  } catch (error) {
    return protocolError(error, log);
  }
}

/** The answer to a message that is not admitted: an error, or nothing for a notification. */
function refused(id: string | number | undefined, error: ProtocolError): Answer {
  return id === undefined ? new Response(null, { status: 202 }) : jsonRpcRefusal(200, error, id);
}

function isResponse(text: string): boolean {
  const message = parsedJson(text);
  return isJsonObject(message) && message.method === undefined;
}

function faultOf(messages: readonly unknown[]): string | undefined {
  const { length } = messages;
  if (length === 0 || length > batchMessagesMax)
    return `a batch must have 1 to ${batchMessagesMax} messages; this one has ${length}`;
  const opening = messages.find(isOpening);
  return opening && `${opening.method} must be sent alone, not in a batch`;
}

function invalid(message: string): ProtocolError {
  return new ProtocolError(-32600, message, { code: 'INVALID_REQUEST' });
}
