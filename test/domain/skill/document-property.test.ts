/** Properties of the skill parser that hold for any document (property-based tests). */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { HestiaError } from '../../../src/shapes/error.ts';
import { parse, withFrontmatter } from '../../support/skill-parsing.ts';

const letters = 'abcdefghijklmnopqrstuvwxyz0123456789'.split('');
const word = fc.string({ unit: fc.constantFrom(...letters), minLength: 1, maxLength: 12 });
const name = fc.array(word, { minLength: 1, maxLength: 4 }).map((words) => words.join('-'));
const line = fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 200 }).filter((text) => text.trim() !== '');
const anyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 500 }),
  fc.string({ unit: 'grapheme', maxLength: 500 }),
  fc
    .array(
      fc.constantFrom(
        '---',
        '\n',
        'name: a',
        'description: b',
        ': ',
        '- ',
        '&a',
        '*a',
        '!!js',
        '\t',
        '"',
        '{',
        '[',
        '#',
      ),
    )
    .map((parts) => parts.join('')),
);

/** Parses a document. A {@link HestiaError} is an expected refusal; any other error is a defect and is rethrown. */
function outcomeOf(document: string): 'parsed' | HestiaError {
  try {
    parse(document);
    return 'parsed';
  } catch (error) {
    if (error instanceof HestiaError) return error;
    throw error;
  }
}

describe('any text', () => {
  test('is parsed, or refused with violations that are printable and name their field', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          anyText,
          anyText.map((text) => withFrontmatter(text.split('\n'))),
        ),
        (document) => {
          const outcome = outcomeOf(document);
          if (outcome === 'parsed') return;
          expect(outcome.code).toBe('INVALID_SKILL');
          expect(outcome.violations.length).toBeGreaterThan(0);
          for (const { field, message } of outcome.violations) {
            expect(field).not.toBe('');
            expect(message).not.toMatch(/[\p{Cc}\p{Cs}]/u);
          }
        },
      ),
      { numRuns: 2000 },
    );
  });
});

describe('a valid document', () => {
  test('is parsed to what was written, and the same text always has the same digest', () => {
    fc.assert(
      fc.property(name, line, line, (givenName, description, body) => {
        const document = `---\n${stringify({ name: givenName, description: description.trim() })}---\n\n${body}\n`;
        const parsed = parse(document);
        expect(parsed.frontmatter).toMatchObject({ name: givenName, description: description.trim() });
        expect(parsed.instructions.trim()).toBe(body.trim());
        expect(parse(document).digest).toBe(parsed.digest);
      }),
      { numRuns: 300 },
    );
  });

  test('has another digest when any character of its body changes', () => {
    fc.assert(
      fc.property(name, word, word, (givenName, one, other) => {
        fc.pre(one !== other);
        const digest = (body: string) =>
          parse(withFrontmatter([`name: ${givenName}`, 'description: Helps.'], `${body}\n`)).digest;
        expect(digest(one)).not.toBe(digest(other));
      }),
      { numRuns: 300 },
    );
  });
});
