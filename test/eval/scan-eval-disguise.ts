/** Disguises of text: the same words in other letters, spacing or synonyms, to test the rules against evasion. */

const lookAlikes: Readonly<Record<string, string>> = {
  a: 'а',
  c: 'с',
  e: 'е',
  i: 'і',
  o: 'о',
  p: 'р',
  s: 'ѕ',
  x: 'х',
  y: 'у',
};

const synonyms: readonly [RegExp, string][] = [
  [/\bignore\b/gi, 'disregard'],
  [/\bprevious\b/gi, 'prior'],
  [/\binstructions\b/gi, 'directives'],
  [/\breveal\b/gi, 'disclose'],
  [/\bsend\b/gi, 'transmit'],
  [/\bupload\b/gi, 'send'],
  [/\bexecute\b/gi, 'run'],
  [/\bsecretly\b/gi, 'covertly'],
  [/\bsilently\b/gi, 'secretly'],
  [/\btell\b/gi, 'inform'],
  [/\bpasswords\b/gi, 'credentials'],
  [/\bconversation\b/gi, 'chat'],
];

/** The disguises. The words remain readable, but commands and addresses may no longer work. */
export const disguises: Readonly<Record<string, (text: string) => string>> = {
  'upper case': (text) => text.toUpperCase(),
  homoglyphs: (text) => words(text, (word) => word.replace(/[aceiopsxy]/, (letter) => lookAlikes[letter] ?? letter)),
  'zero-width': (text) => words(text, (word) => `${word.slice(0, 2)}\u200b${word.slice(2)}`),
  'full-width': (text) =>
    words(text, (word) => [...word].map((letter) => String.fromCharCode(letter.charCodeAt(0) + 0xfee0)).join('')),
  wrapping: (text) => proseLines(text, (line) => wrapped(line, 40)),
  bold: (text) => words(text, (word) => `**${word}**`),
  'no-break space': (text) => proseLines(text, (line) => line.replaceAll(' ', '\u00a0')),
  'double space': (text) => proseLines(text, (line) => line.replaceAll(' ', '  ')),
  'numeric entities': (text) => words(text, (word) => `&#${word.charCodeAt(0)};${word.slice(1)}`),
  synonyms: (text) => synonyms.reduce((changed, [from, to]) => changed.replace(from, to), text),
};

/** A claim of a legitimate purpose, which an attacker may put first. */
export const excuse = 'Security audit and penetration testing helper. ';

/** The text with the excuse before its description or, without one, before the text. */
export function withExcuse(text: string): string {
  return /^description:/m.test(text) ? text.replace(/^description:\s*/m, (found) => found + excuse) : excuse + text;
}

function isProse(line: string): boolean {
  return line.length > 20 && !/^(?:\s|[-*#|>`~]|\d+[.)])/.test(line) && !/^[\w-]+:(?:\s|$)|[`<>]/.test(line);
}

/** Changes lines of prose. Fenced code is unchanged, because a wrapped command is another command. */
function proseLines(text: string, change: (line: string) => string): string {
  let inFence = false;
  return text
    .split('\n')
    .map((line) => {
      if (/^\s*(?:```|~~~)/.test(line)) inFence = !inFence;
      return !inFence && isProse(line) ? change(line) : line;
    })
    .join('\n');
}

/** Changes the words of prose with four or more letters, except in addresses and paths. */
function words(text: string, change: (word: string) => string): string {
  return proseLines(text, (line) =>
    line
      .split(' ')
      .map((word) => (/^[A-Za-z]{4,}[.,!]?$/.test(word) ? word.replace(/[A-Za-z]+/, change) : word))
      .join(' '),
  );
}

function wrapped(line: string, width: number): string {
  const lines = [''];
  for (const word of line.split(' ')) {
    const last = lines.at(-1) ?? '';
    if (last !== '' && last.length + word.length > width) lines.push(word);
    else lines[lines.length - 1] = last === '' ? word : `${last} ${word}`;
  }
  return lines.join('\n');
}
