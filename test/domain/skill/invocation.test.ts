/** One use of a skill: placeholders of arguments, links to files, and the name of its tool. */
import { describe, expect, test } from 'vitest';
import { findSkillFile, prepareInstructions } from '../../../src/domain/skill/invocation.ts';
import { skillToolName } from '../../../src/shapes/skill.ts';
import { textFile } from '../../support/skill-parsing.ts';

describe('instructions with placeholders', () => {
  const prepared = (instructions: string, text?: string, declared?: unknown) =>
    prepareInstructions({ instructions, attributes: { arguments: declared } }, text);

  test.each([
    ['Fix $ARGUMENTS.', 'issue 12', 'Fix issue 12.'],
    ['Move $ARGUMENTS[1] to $ARGUMENTS[0].', 'a b', 'Move b to a.'],
    ['Move $1 to $0.', 'a "b c"', 'Move b c to a.'],
    ['Say $0.', "'it is'", 'Say it is.'],
    ['Say $0.', '"a \\"b\\""', 'Say a "b".'],
  ])('%j and the arguments %j become %j', (instructions, text, expected) => {
    expect(prepared(instructions, text)).toEqual({ text: expected, substituted: true });
  });

  test.each([['issue branch'], [['issue', 'branch']]])(
    'may use the names that the frontmatter declares as %j',
    (declared) => {
      expect(prepared('$issue on $branch, $other', '12 main', declared).text).toBe('12 on main, $other');
    },
  );

  test.each(['$B$2', 'US$5', '$5 and $HOME', '$ARGUMENTS_FILE', 'none'])(
    'of which none is one (%j) are unchanged',
    (text) => {
      expect(prepared(text, 'a')).toEqual({ text, substituted: false });
    },
  );

  test('keep what is escaped, without the backslash, and insert arguments literally', () => {
    expect(prepared('\\$ARGUMENTS is $ARGUMENTS', '$0 $& $1')).toEqual({
      text: '$ARGUMENTS is $0 $& $1',
      substituted: true,
    });
  });

  test('have nothing in place of $ARGUMENTS without arguments', () => {
    expect(prepared('Fix $ARGUMENTS.').text).toBe('Fix .');
  });
});

describe('a link to a file of a skill', () => {
  const document = {
    source: 'the document',
    files: ['a b.md', 'references/x.md', 'scripts/run.sh'].map((path) => textFile(path, path)),
  };

  test.each([
    ['references/x.md', undefined, 'references/x.md'],
    ['./references/x.md', undefined, 'references/x.md'],
    ['references/x.md#part', undefined, 'references/x.md'],
    ['./a%20b.md', undefined, 'a b.md'],
    ['../scripts/run.sh', 'references/x.md', 'scripts/run.sh'],
    ['./x.md', 'references/x.md', 'references/x.md'],
    ['scripts/run.sh', 'references/x.md', 'scripts/run.sh'],
    ['./SKILL.md', undefined, 'the document'],
  ])('%j in %j is %j', (path, from, content) => {
    expect(findSkillFile(document, path, from)?.content).toBe(content);
  });

  test.each(['../secret', '/etc/passwd', 'none.md', '', '%'])('%j names no file', (path) => {
    expect(findSkillFile(document, path)).toBeUndefined();
  });
});

describe('the tool name of a skill', () => {
  const names = [
    'pdf',
    'log-review',
    'a'.repeat(58),
    'a'.repeat(64),
    '小说拆条',
    'Log-Review',
    'log_review',
    'café',
    'x.y',
    'log--review',
  ];

  test.each(names)('%s fits what clients accept', (name) => {
    expect(skillToolName(name)).toMatch(/^[a-zA-Z0-9_-]{1,64}$/);
  });

  test('differs for every name, and is plain for a name in the form of the specification', () => {
    expect(new Set(names.map(skillToolName)).size).toBe(names.length);
    expect(skillToolName('log-review')).toBe('skill_log_review');
    expect(skillToolName('小说拆条')).toMatch(/^skill_[0-9a-f]{8}$/);
  });
});
