/**
 * Redaction of tool arguments and results that are captured on spans (`HESTIA_CAPTURE_CONTENT=on`).
 * Values whose names or forms suggest secrets are replaced, and the text is truncated to what a backend stores.
 */
import { isJsonObject } from '../shapes/json.ts';
import { printable, truncated } from '../shapes/text.ts';

/** Tempo truncates attributes at 2,048 bytes; most texts of 2,000 UTF-16 units stay below that. */
const contentLengthMax = 2000;

const secretWords =
  'pass(?:word|phrase|wd)?|pwd|secret|token|api[_-]?key|authorization|credential|cookie|signature|session[_-]?id|(?:private|access)[_-]?key';
const secretName = new RegExp(secretWords, 'i');
/** Forms of secrets: bearer headers, JWTs, keys of the hub, of AWS, GitHub, GitLab, Slack, Google, Stripe, OpenAI, npm, and PEM. */
const secretValue = new RegExp(
  [
    String.raw`bearer\s+\S+`,
    String.raw`eyJ[\w-]+\.[\w-]+\.[\w-]+`,
    String.raw`\bhst_[\w-]{16,}`,
    String.raw`\b(?:AKIA|ASIA|ABIA|ACCA|AGPA|AIDA|AROA|ANPA|ANVA)[A-Z0-9]{16}\b`,
    String.raw`\bgh[pousr]_[A-Za-z0-9]{20,}`,
    String.raw`\bgithub_pat_\w{20,}`,
    String.raw`\bglpat-[\w-]{20,}`,
    String.raw`\bxox[abeoprs]-[\w-]{10,}`,
    String.raw`\bAIza[\w-]{35}`,
    String.raw`\b[sr]k_(?:live|test)_\w{16,}`,
    String.raw`\bsk-[\w-]{20,}`,
    String.raw`\bnpm_[A-Za-z0-9]{30,}`,
    '-----BEGIN [A-Z ]*PRIVATE KEY-----[^-]*(?:-----END [A-Z ]*PRIVATE KEY-----)?',
  ].join('|'),
  'gi',
);
/**
 * A name and its value in text: in JSON, also escaped once or twice, in YAML, in an assignment, in a header with its scheme, or
 * in a URL's query. A value in quotes ends with them, any other at a space.
 */
const secretAssignment = new RegExp(
  [
    String.raw`((?:^|[^A-Za-z0-9])[\w.-]{0,64}(?:${secretWords})[\w.-]{0,64}\\{0,3}["']?\s{0,8}[:=]\s{0,8})`,
    '(?:',
    [
      String.raw`(\\{1,3}["'])[^"'\\]{1,4096}`,
      String.raw`(")(?:[^"\\]|\\.){1,4096}`,
      String.raw`(')[^'\\]{1,4096}`,
      String.raw`(?:(?:basic|bearer|digest|negotiate|apikey|token)\s{1,8})?[^\s"'\\,;&{}[\]]{1,4096}`,
    ].join('|'),
    ')',
  ].join(''),
  'gi',
);
/** The password in a URL. */
const urlPassword = /(\b[a-z][a-z0-9+.-]{1,20}:\/\/[^\s:/@"']{0,256}:)[^\s/@"']{1,1024}(?=@)/gi;

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
  if (typeof item === 'string') return redactedText(item);
  return isPair(item) ? [item[0], redacted] : redactedMember(item);
}

/** Whether it is a name and its value in a list, as of headers. */
function isPair(item: unknown): item is [string, unknown] {
  return Array.isArray(item) && item.length === 2 && typeof item[0] === 'string' && secretName.test(item[0]);
}

/** An object with a name and its value in members of their own, as of headers and variables. */
function redactedMember(item: unknown): unknown {
  if (!isJsonObject(item) || !('value' in item)) return item;
  const isSecret = [item.name, item.key, item.header].some((name) => typeof name === 'string' && secretName.test(name));
  return isSecret ? { ...item, value: redacted } : item;
}

/** Texts longer than this are cut first: only the beginning of the JSON is captured. */
const textLengthMax = 16_384;

function redactedText(text: string): string {
  return text
    .slice(0, textLengthMax)
    .replace(secretValue, redacted)
    .replace(
      secretAssignment,
      (_found, name: string, ...quotes: (string | undefined)[]) =>
        `${name}${quotes.slice(0, 3).find(Boolean) ?? ''}${redacted}`,
    )
    .replace(urlPassword, `$1${redacted}`);
}
