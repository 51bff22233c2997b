/**
 * Tool arguments and results on spans, only where an operator asked for it (`HESTIA_CAPTURE_CONTENT=on`).
 * Values under names that sound like secrets are replaced; the text is cut to what a backend keeps.
 */
import { printable, truncated } from '../shapes/text.ts';

/** Tempo cuts attributes at 2,048 bytes; UTF-16 units stay below that for most text. */
const contentLengthMax = 2000;

const secretName = /pass(word|phrase|wd)?|secret|token|api[_-]?key|authorization|credential|cookie|private[_-]?key/i;
const secretValue = /bearer\s+\S+|eyJ[\w-]+\.[\w-]+\.[\w-]+|\bhst_[\w-]{16,}/gi;

/** JSON of a value with secrets replaced by `[redacted]`, at most 2,000 characters; nothing where it has no JSON. */
export function redactedContent(value: unknown): string {
  try {
    return printable(truncated(JSON.stringify(value, redact) ?? '', contentLengthMax));
  } catch {
    // Nested deeper than the stack: a call must not fail for being watched.
    return '';
  }
}

const redacted = '[redacted]';

function redact(key: string, item: unknown): unknown {
  if (key !== '' && secretName.test(key)) return redacted;
  return typeof item === 'string' ? item.replace(secretValue, redacted) : item;
}
