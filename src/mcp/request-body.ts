/** Reads the JSON-RPC messages of a request, also where the SDK would refuse or change them. */
import { ProtocolError } from '@modelcontextprotocol/server';
import { jsonFault } from '../shapes/configuration/file/json-text.ts';
import { exactJson, isDeeperThan, isJsonObject, type JsonObject } from '../shapes/json.ts';
import { printable } from '../shapes/text.ts';
import { jsonRpcRefusal } from './refusal.ts';

/** The methods that open a session or a stream, which keeps parts of the message while it is open. */
const openingMethods: ReadonlySet<unknown> = new Set(['initialize', 'subscriptions/listen']);

/** The longest message that opens something, in UTF-16 units. */
const openingLengthMax = 65_536;

/** Levels of nesting of a message without its arguments. The schemas of the SDK are recursive: deeper ones could overflow the stack. */
const levelsMax = 200;

/** The parsed body; its content is checked by whoever handles it. */
export async function readBody(request: Request): Promise<{ parsed: unknown } | { refusal: Response }> {
  const text = await request.text().catch(() => '');
  try {
    const parsed: unknown = JSON.parse(text);
    if (text.length > openingLengthMax && isOpening(parsed)) return { refusal: tooLong(parsed) };
    // Each level has two brackets.
    if (text.length > 2 * levelsMax && isTooDeep(parsed)) return { refusal: tooDeep(parsed) };
    return { parsed: withoutNullParams(withExactArguments(parsed, text)) };
  } catch {
    const error = new ProtocolError(-32700, printable(`the body is not valid JSON: ${jsonFault(text)}`), {
      code: 'INVALID_REQUEST',
    });
    return { refusal: jsonRpcRefusal(400, error) };
  }
}

/** Whether a message opens a session or a stream. */
export function isOpening(message: unknown): message is JsonObject {
  return isJsonObject(message) && openingMethods.has(message.method);
}

function tooLong(opening: JsonObject): Response {
  const message = `a message of ${opening.method} must have at most ${openingLengthMax} characters`;
  const error = new ProtocolError(-32602, message, { code: 'PAYLOAD_TOO_LARGE' });
  return jsonRpcRefusal(413, error, requestId(opening));
}

function isTooDeep(body: unknown): boolean {
  return Array.isArray(body) ? body.some(isMessageTooDeep) : isMessageTooDeep(body);
}

function isMessageTooDeep(message: unknown): boolean {
  if (!isJsonObject(message)) return isDeeperThan(levelsMax, message);
  const { params, ...envelope } = message;
  const parts = isJsonObject(params) ? Object.entries(params).filter(([name]) => name !== 'arguments') : params;
  return isDeeperThan(levelsMax, [envelope, parts]);
}

function tooDeep(body: unknown): Response {
  const message = `a message must have at most ${levelsMax} levels of nesting, its arguments apart`;
  return jsonRpcRefusal(400, new ProtocolError(-32600, message, { code: 'INVALID_REQUEST' }), requestId(body));
}

/** The id of a request; undefined for a notification, and for an id that JSON-RPC does not have: it may be nested too deeply to be written. */
export function requestId(message: unknown): string | number | undefined {
  const id = isJsonObject(message) ? message.id : undefined;
  return typeof id === 'string' || typeof id === 'number' ? id : undefined;
}

/** The message, or each message of a batch, in whose arguments integers keep the digits of its text. */
function withExactArguments(body: unknown, text: string): unknown {
  if (Array.isArray(body)) {
    const exact = exactJson(text);
    return Array.isArray(exact) ? body.map((message, index) => withArgumentsOf(message, exact[index])) : body;
  }
  return hasArguments(body) ? withArgumentsOf(body, exactJson(text)) : body;
}

function withArgumentsOf(message: unknown, exact: unknown): unknown {
  if (!hasArguments(message) || !hasArguments(exact)) return message;
  return { ...message, params: { ...message.params, arguments: exact.params.arguments } };
}

function hasArguments(message: unknown): message is { params: JsonObject } {
  return isJsonObject(message) && isJsonObject(message.params) && message.params.arguments !== undefined;
}

/** The message without parameters that are null. Go clients send a map that is nil as null, which means that it is absent. */
function withoutNullParams(message: unknown): unknown {
  if (Array.isArray(message)) return message.map(withoutNullParams);
  if (!isJsonObject(message) || !isJsonObject(message.params)) return message;
  const { params } = message;
  if (!nullableParams.some((name) => params[name] === null)) return message;
  const isAbsent = ([name, value]: [string, unknown]) => value === null && nullableParams.includes(name);
  const present = Object.entries(params).filter((param) => !isAbsent(param));
  return { ...message, params: Object.fromEntries(present) };
}

const nullableParams = ['arguments', '_meta', 'cursor'];
