/** Reads the JSON-RPC message in the body of a request, also where the SDK would refuse or change it. */
import { ProtocolError } from '@modelcontextprotocol/server';
import { jsonFault } from '../shapes/configuration/file/json-text.ts';
import { exactJson, isJsonObject, type JsonObject } from '../shapes/json.ts';
import { printable } from '../shapes/text.ts';
import { jsonRpcRefusal } from './refusal.ts';

/** The methods that open a session or a stream, which keeps parts of the message while it is open. */
const openingMethods: ReadonlySet<unknown> = new Set(['initialize', 'subscriptions/listen']);

/** The longest message that opens something, in UTF-16 units. */
const openingLengthMax = 65_536;

/** The parsed body; its content is checked by whoever handles it. */
export async function readBody(request: Request): Promise<{ parsed: unknown } | { refusal: Response }> {
  const text = await request.text().catch(() => '');
  try {
    const parsed: unknown = JSON.parse(text);
    if (text.length > openingLengthMax && isOpening(parsed)) return { refusal: tooLong(parsed) };
    return { parsed: withoutNullParams(withExactArguments(parsed, text)) };
  } catch {
    const error = new ProtocolError(-32700, printable(`the body is not valid JSON: ${jsonFault(text)}`), {
      code: 'INVALID_REQUEST',
    });
    return { refusal: jsonRpcRefusal(400, error) };
  }
}

function isOpening(message: unknown): message is JsonObject {
  return isJsonObject(message) && openingMethods.has(message.method);
}

function tooLong({ id, method }: JsonObject): Response {
  const message = `a message of ${method} must have at most ${openingLengthMax} characters`;
  const error = new ProtocolError(-32602, message, { code: 'PAYLOAD_TOO_LARGE' });
  return jsonRpcRefusal(413, error, typeof id === 'string' || typeof id === 'number' ? id : null);
}

/** The message, in whose arguments integers keep the digits of its text. */
function withExactArguments(message: unknown, text: string): unknown {
  if (!isJsonObject(message) || !isJsonObject(message.params) || message.params.arguments === undefined) return message;
  const exact = exactJson(text);
  if (!isJsonObject(exact) || !isJsonObject(exact.params)) return message;
  return { ...message, params: { ...message.params, arguments: exact.params.arguments } };
}

/** The message without parameters that are null. Go clients send a map that is nil as null, which means that it is absent. */
function withoutNullParams(message: unknown): unknown {
  if (!isJsonObject(message) || !isJsonObject(message.params)) return message;
  const { params } = message;
  if (!nullableParams.some((name) => params[name] === null)) return message;
  const isAbsent = ([name, value]: [string, unknown]) => value === null && nullableParams.includes(name);
  const present = Object.entries(params).filter((param) => !isAbsent(param));
  return { ...message, params: Object.fromEntries(present) };
}

const nullableParams = ['arguments', '_meta', 'cursor'];
