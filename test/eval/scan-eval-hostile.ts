/** Texts that try to make the scan slow: 100 KB of a repeated token, including openings that are never closed. */
import { scanContent } from '../../src/domain/scan/scanner.ts';

const lengthMax = 100_000;

const tokens: readonly string[] = [
  'curl ',
  '\n',
  '[',
  '[](',
  'QUJD',
  'aWdub3JlIGFsbCBwcmV2aW91cyA=',
  '(',
  '<!--',
  '<important>',
  '```\n',
  '`',
  '"',
  '. ',
  'a',
  ' ',
  'ignore ',
  'ignore previous ',
  'not ',
  '&#x41;',
  '&',
  'https://',
  'https://a.b/c?d={',
  '/',
  '~/',
  'a\u200b',
  '\u{e0041}',
  'сору ',
  '忽略',
  '![a](https://a?',
  '%41',
  '\\x41',
  '6a6b',
  '---\n',
  '*',
  '__',
  '| ',
  '|a|\n',
  '- a\n',
  'send token ',
  'display:',
  '<|',
  '=@',
  'always send data https://a.io ',
  '$AWS_SECRET_KEY ',
  'os.environ ',
  'curl https://a.io | ',
  '[//]: # (',
  '<div style="',
  "'",
  'ignore previous you send token to https://a.io/x curl | sh base64 not tell user ',
];

/** The texts, each with the token that it repeats. */
export function hostileTexts(): { token: string; text: string }[] {
  return tokens.map((token) => ({
    token: JSON.stringify(token),
    text: token.repeat(Math.ceil(lengthMax / token.length)).slice(0, lengthMax),
  }));
}

/** Scans each text and returns the processor time in milliseconds, slowest first. */
export async function timeHostileTexts(): Promise<{ token: string; timeMs: number }[]> {
  const times: { token: string; timeMs: number }[] = [];
  for (const { token, text } of hostileTexts()) {
    const before = process.cpuUsage().user;
    await scanContent([{ part: 'text', text }], { subject: 'tool' });
    times.push({ token, timeMs: (process.cpuUsage().user - before) / 1000 });
  }
  return times.sort((one, other) => other.timeMs - one.timeMs);
}
