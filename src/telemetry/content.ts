/**
 * Redaction of tool arguments and results that are captured on spans (`HESTIA_CAPTURE_CONTENT=on`).
 * Values whose names or forms suggest secrets are replaced, and the text is truncated to what a backend stores.
 */
import { printable, truncated } from '../shapes/text.ts';

/** Tempo truncates attributes at 2,048 bytes; most texts of 2,000 UTF-16 units stay below that. */
const contentLengthMax = 2000;

const secretName = /pass(word|phrase|wd)?|secret|token|api[_-]?key|authorization|credential|cookie|private[_-]?key/i;
const secretValue = /bearer\s+\S+|eyJ[\w-]+\.[\w-]+\.[\w-]+|\bhst_[\w-]{16,}/gi;

/** JSON of a value with secrets replaced by `[redacted]`, at most 2,000 characters; empty if it has no JSON. */
export function redactedContent(value: unknown): string {
  try {
    return printable(truncated(JSON.stringify(value, redact) ?? '', contentLengthMax));
  } catch {
    // Nested too deeply for the stack. Capturing content must not make a call fail.
    return '';
  }
}

const redacted = '[redacted]';

function redact(key: string, item: unknown): unknown {
  if (key !== '' && secretName.test(key)) return redacted;
  return typeof item === 'string' ? item.replace(secretValue, redacted) : item;
}
