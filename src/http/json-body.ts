/** Errors of JSON bodies: what is wrong with one that is not valid, and where; another content type. */
import type { Context } from 'hono';
import { HTTPException } from 'hono/http-exception';
import { jsonFault } from '../shapes/configuration/file/json-text.ts';
import { HestiaError } from '../shapes/error.ts';
import { printable, quotable } from '../shapes/text.ts';

const typeLengthMax = 64;

/**
 * The error of a request whose body the library refused: with the place of the fault in a body that is not valid JSON, and with
 * what to send instead of another content type. Other errors are unchanged.
 */
export async function withBodyFault(error: unknown, c: Context): Promise<unknown> {
  if (!(error instanceof HTTPException)) return error;
  if (error.status === 415) {
    const found = quotable(c.req.header('content-type') ?? 'none', typeLengthMax);
    return new HestiaError('UNSUPPORTED_MEDIA_TYPE', `content-type: found ${found}; send application/json`);
  }
  if (error.status !== 400 || !/JSON/.test(error.message)) return error;
  const text = await c.req.text().catch(() => undefined);
  return text === undefined ? error : invalidJson(text);
}

/** The error of a body that is not valid JSON. */
export function invalidJson(text: string): HestiaError {
  return new HestiaError('INVALID_REQUEST', printable(`the body is not valid JSON: ${jsonFault(text)}`));
}
