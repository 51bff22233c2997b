/** The fast paths of the content scan find what the expressions and patterns do that they replace. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { indexSentence, type ScanToken } from '../../../src/domain/scan/pattern.ts';
import { bitOf, mayMatch, placesOf, stepsOf } from '../../../src/domain/scan/rules/rule-filter.ts';
import {
  hintParts,
  hintWords,
  knownSymbols,
  type RulePlace,
  rulePlaces,
  rulesFor,
} from '../../../src/domain/scan/rules/rule-set.ts';
import { segmentsOf } from '../../../src/domain/scan/segments.ts';
import { mixesScripts, normalisedLine } from '../../../src/domain/scan/text-normalisation.ts';
import { LineWords, wordExpression } from '../../../src/domain/scan/words/line-words.ts';
import { extendedHash } from '../../../src/domain/scan/words/notable-words.ts';
import { SentenceReader } from '../../../src/domain/scan/words/tokens.ts';
import { wordAt } from '../../../src/domain/scan/words/word-cache.ts';

/** The whole of a word, as the cache classifies it. */
function classified(text: string) {
  let hash = 0;
  for (let at = 0; at < text.length; at += 1) hash = extendedHash(hash, text.charCodeAt(at));
  return wordAt(text, 0, text.length, hash);
}

function wordsOf(line: string): string[] {
  const reader = new LineWords();
  const words: string[] = [];
  reader.read(line);
  while (reader.next()) words.push(line.slice(reader.start, reader.end));
  return words;
}

const parts = [
  ...[
    'https://a.io/x?q=1,',
    'file://',
    '://',
    'ab-c+d.e://f)g',
    'verylongscheme://x',
    '~/',
    './run.sh',
    '../',
    '--yolo',
    '-----x',
  ],
  ...[
    '$key',
    '%path%',
    '@user',
    'a.b',
    'a:b',
    'a:',
    'e.g.',
    "it's",
    '&&',
    '||',
    '>>',
    '&',
    '|',
    '>',
    '"',
    '“',
    '”',
    '`',
    '。',
    '！',
  ],
  ...[
    '.',
    ',',
    '. ',
    ', ',
    ' ',
    '\t',
    '/',
    '~',
    '/"',
    '_',
    '__',
    'é',
    'ß',
    '忽略',
    'а́',
    '\u0301',
    '½',
    '٣',
    '🚫',
    '𝒂',
    '\ud800',
    ':',
    '!',
    '\\',
  ],
];
const line = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.string({ unit: 'grapheme-ascii', maxLength: 120 }),
  fc.array(fc.constantFrom(...parts), { maxLength: 30 }).map((all) => all.join('')),
  fc
    .tuple(fc.constantFrom('a', 'a.', 'https://', '/'), fc.integer({ min: 1, max: 400 }))
    .map(([one, n]) => one.repeat(n)),
);

describe('the words of a line', () => {
  test('are those of the expression', () => {
    fc.assert(
      fc.property(line, (text) => {
        const lower = text.toLowerCase();
        expect(wordsOf(lower)).toEqual(lower.match(wordExpression) ?? []);
      }),
      { numRuns: 3000 },
    );
  });
});

interface ReadSentence {
  tokens: ScanToken[];
  /** The places where a rule may match, by the quick test. */
  places: RulePlace[];
}

function sentencesOf(text: string): ReadSentence[] {
  const sentences: ReadSentence[] = [];
  const reader = new SentenceReader();
  reader.begin((sentence) =>
    sentences.push({ tokens: sentence.tokens(), places: rulePlaces.filter((place) => mayMatch(place, sentence)) }),
  );
  reader.read({ text, line: 1, offset: 0 });
  reader.end();
  return sentences;
}

// Texts of the symbols of one pattern, with words between them.
const patterns = rulePlaces.flatMap((place) =>
  [...new Set([...rulesFor(place).values()].flat())].map(({ pattern }) => ({ place, pattern })),
);
const matching = fc
  .constantFrom(...patterns)
  .chain(({ pattern }) => fc.tuple(...pattern.steps.map((symbols) => fc.constantFrom(...symbols))))
  .map((symbols) => symbols.map((symbol) => symbol.replace('$', '')).join(' '));

describe('a sentence that no rule may match, by the quick test', () => {
  test('is matched by no pattern', () => {
    fc.assert(
      fc.property(fc.oneof(matching, line), fc.constantFrom(...rulePlaces), (text, place) => {
        for (const sentence of sentencesOf(text)) {
          if (sentence.places.includes(place)) continue;
          const index = indexSentence(sentence.tokens, knownSymbols);
          for (const { pattern } of [...rulesFor(place).values()].flat()) expect(pattern.find(index)).toEqual([]);
        }
      }),
      { numRuns: 500 },
    );
  });

  test('is most of honest text', () => {
    const honest =
      'The report has three parts. Read the file and list its headings. Then write a summary of the results.';
    expect(sentencesOf(honest).filter(({ places }) => places.includes('skill'))).toEqual([]);
  });
});

// Words of rules, parts of them, and words that hold them.
const known = [...knownSymbols, ...hintWords, ...hintParts].map((word) => word.replace(/^@|\$$/g, ''));
const wordLike = fc
  .tuple(fc.constantFrom('', 'x', 'haupt'), fc.constantFrom(...known), fc.constantFrom('', 'n', 's', '1'))
  .map((all) => all.join(''));

// Words with signs: one of each class or more, and what may surround them.
const withSigns = [
  ...['~/.ssh/id_rsa', '.ssh/', 'id_ed25519', 'id_ecdsa', 'id_dsa', 'authorized_keys', '~/.aws/', '.netrc', '.npmrc'],
  ...['.pypirc', '.git-credentials', '.pgpass', '.kube/config', '.docker/config', '.gnupg', '/etc/shadow'],
  ...['credentials.json', 'credential.yaml', '.config/gh', 'login_data', 'logindata.x', 'login.data', 'cookies.sqlite'],
  ...['key3.db', 'key4.db', 'logins.json', '.bash_history', '.zsh_history', '.cursor/mcp.json', '.clawdbot/'],
  ...['claude_desktop_config.json', '.openclaw/', '.claude/credentials', '.claude/.credentials', '.claude/config.json'],
  ...['wallet.dat', 'my_keystore', '.metamask', 'x_exodus', 'x.electrum', '/library/keychains', 'ntds.dit'],
  ...[
    'lsass.dmp',
    '/proc/self/environ',
    '/var/run/secrets',
    '$api_key',
    'x_apikey',
    '%token%',
    'x_tokens',
    'my_secret',
  ],
  ...['$password', 'x_passwd', 'private_key', 'x_privatekey', 'access_key', 'x_accesskey', 'x_credential'],
  ...['primary_key', 'database_url', 'aws_region', 'claude.md', 'docs/agents.md', 'agent.md', 'memory.md', 'soul.md'],
  ...['gemini.md', 'identity.md', 'tools.md', 'bootstrap.md', 'heartbeat.md', 'user.md', 'copilot-instructions.md'],
  ...['.cursorrules', '.windsurfrules', '.clinerules', '.bashrc', '~/.zshrc', '.profile', '.bash_profile', '.zprofile'],
  ...['.zshenv', '.bash_login', '/etc/cron.d', '/etc/systemd', 'launchagents', 'a.plist', '.git/hooks', 'my-crontab'],
  ...['schtasks.exe', 'a.zip', 'a.rar', 'a.7z', 'a.msi', 'a.dmg', 'a.pkg', 'a.scr', 'a.bat', 'a.apk', 'run.sh'],
  ...['run.ps1', 'run.bash', '.env', '.env.local', 'x/.env', '169.254.169.254', '169.254.169.254/latest', '/bin/sh'],
  ...['metadata.google.internal', 'exec:x', '/dev/tcp/1.2.3.4', '--yolo', '-o', '@file', 'a@b.io', 'x-api-key'],
  ...[
    'my-apikey',
    'webhook.site',
    'a.requestbin.com',
    'x.ngrok.io',
    'a.oast.fun',
    'interact.sh',
    'loca.lt',
    'bit.ly/x',
  ],
  ...['t.co', 'is.gd', 'rb.gy', 'tiny.cc', 'glot.io', 'paste.rs', 'paste.ee', 'sprunge.us', 'discord.com', '1.2.3.4'],
  ...[
    'example.dev/x',
    'third-party',
    'ig-nore',
    'pre_vious',
    'x.sans',
    'les-autres',
    'math.sin',
    "l'operateur",
    "f's3://x/",
    'user$',
  ],
];
const oddWord = fc
  .tuple(
    fc.constantFrom('', '', 'x/', './', '~/', '/', '-', '--', '$', '%', '.', 'x.', 'x_', "x'", 'x-'),
    fc.oneof(fc.constantFrom(...withSigns), fc.constantFrom(...known), fc.stringMatching(/^[a-z0-9._/@$%:'-]{1,16}$/)),
    fc.constantFrom('', '', '/', '-', ".'", "'", "'s", '/x', '-x', '_x', '.x', ':x'),
  )
  .map((all) => all.join(''));

describe('a word that the reader of lines takes for meaningless', () => {
  test('is one that means nothing to any rule', () => {
    const isPassedOver = (text: string) => {
      const reader = new LineWords();
      reader.read(text);
      return reader.next() && reader.start === 0 && reader.end === text.length && !reader.mayBeNotable;
    };
    fc.assert(
      fc.property(fc.oneof(wordLike, oddWord, oddWord, fc.stringMatching(/^[a-z0-9]{1,12}$/)), (text) => {
        if (!isPassedOver(text)) return;
        const word = classified(text);
        expect(word.isNotable).toBe(false);
        expect(stepsOf(word.symbols)).toEqual([]);
      }),
      { numRuns: 10_000 },
    );
    expect([...known, ...withSigns].filter((text) => isPassedOver(text) && classified(text).isNotable)).toEqual([]);
  });

  test('is not one of a rule', () => {
    const plain = [...knownSymbols].filter((symbol) => /^[a-z0-9]+$/.test(symbol) && stepsOf([symbol]).length > 0);
    expect(plain.length).toBeGreaterThan(500);
    const reader = new LineWords();
    for (const symbol of plain) {
      reader.read(symbol);
      expect([symbol, reader.next() && reader.mayBeNotable]).toEqual([symbol, true]);
    }
  });

  test.each(['src/domain/scan.ts', 'user_id', 'multi-line', '1.5', '10:30', "model'", 'self.model.forward', '../x'])(
    'may have signs: %s',
    (text) => {
      const reader = new LineWords();
      reader.read(text);
      expect([reader.next(), reader.end, reader.mayBeNotable]).toEqual([true, text.length, false]);
    },
  );

  test('is most of the words of a language', () => {
    const honest = 'the quarterly figures show steady growth across seven regions while costs remained broadly flat';
    const reader = new LineWords();
    reader.read(honest);
    let meaningless = 0;
    while (reader.next()) if (!reader.mayBeNotable) meaningless += 1;
    expect(meaningless).toBeGreaterThan(10);
  });
});

describe('the bit of a place', () => {
  test('is set by each of the steps that its rules are looked for by', () => {
    for (const { place, pattern } of patterns)
      expect(pattern.steps.some((symbols) => (placesOf(stepsOf(symbols)) & bitOf(place)) !== 0)).toBe(true);
  });
});

describe('a line', () => {
  const words = fc
    .array(fc.oneof(fc.constantFrom(...parts, 'сору', 'rеаd', 'naïve', '—', '…', '’s', 'ﬁ', '&#x41;'), line), {
      maxLength: 12,
    })
    .map((all) => all.join(' '));
  test('is normalised alike with and without a word of other letters behind it', () => {
    fc.assert(
      fc.property(words, (text) => {
        expect(normalisedLine(`${text} é`)).toBe(`${normalisedLine(`${text} —`).slice(0, -1)}e`);
      }),
      { numRuns: 1000 },
    );
  });

  test('mixes scripts where one of its words does', () => {
    expect(['rеаd it', 'naïve — сору', 'read сору', 'plain', 'α-test', 'αtest'].map(mixesScripts)).toEqual([
      true,
      false,
      false,
      false,
      false,
      true,
    ]);
  });

  test.each(['Never do this:', 'Never do this: ', '**Never do this:**', 'Avoid:**   '])(
    'that ends in a colon says what to avoid: "%s"',
    (lead) => {
      const lines = [lead, '- a thing'].map((text, index) => ({ text, line: index + 1, offset: 0 }));
      expect([...segmentsOf(lines)].at(-1)?.context).toBe('prohibited');
    },
  );
});
