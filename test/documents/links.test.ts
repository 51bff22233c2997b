/** The documents: every link and every file name in them leads to a file of this repository, every anchor to a heading. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, test } from 'vitest';
import { documentPaths, repositoryFolder as root } from '../support/documents/block.ts';

const documents = documentPaths();

/** Targets of Markdown links outside of code, but for those to other hosts. */
function linksOf(markdown: string): string[] {
  const text = markdown.replaceAll(/```.*?```/gs, '').replaceAll(/`[^`\n]*`/g, '');
  return [...text.matchAll(/\]\(([^)\s]+)\)/g)]
    .map((match) => match[1] ?? '')
    .filter((target) => !/^[a-z]+:/.test(target));
}

/** The anchors of a document's headings, as code hosts make them. */
function anchorsOf(markdown: string): Set<string> {
  const headings = [...markdown.matchAll(/^#{1,6} +(.+)$/gm)].map((match) => match[1] ?? '');
  return new Set(
    headings.map((heading) =>
      heading
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
}

/** Names of source files and documents in code style that hold a folder, such as `domain/tool-call.ts`. */
function filesNamedIn(markdown: string): string[] {
  const text = markdown.replaceAll(/```.*?```/gs, '');
  return [...text.matchAll(/`([a-z][\w.-]*\/[\w./-]+\.(?:ts|md|sql))`/g)].map((match) => match[1] ?? '');
}

describe('the files named in', () => {
  test.each(documents)('%s exist, in the repository or in src/', (path) => {
    const named = filesNamedIn(readFileSync(join(root, path), 'utf8'));
    const absent = named.filter((name) => !existsSync(join(root, name)) && !existsSync(join(root, 'src', name)));
    expect(absent).toEqual([]);
  });

  test('are found at all', () => {
    expect(filesNamedIn('`http/app.ts` and `SKILL.md`')).toEqual(['http/app.ts']);
  });
});

describe('the links of', () => {
  test.each(documents)('%s lead somewhere', (path) => {
    const broken = linksOf(readFileSync(join(root, path), 'utf8')).filter((link) => {
      const [file = '', anchor] = link.split('#');
      const target = file === '' ? path : normalize(join(dirname(path), file));
      if (!existsSync(join(root, target))) return true;
      return anchor !== undefined && !anchorsOf(readFileSync(join(root, target), 'utf8')).has(anchor);
    });
    expect(broken).toEqual([]);
  });

  test('documents are found at all', () => {
    expect(documents).toEqual(expect.arrayContaining(['README.md', 'ARCHITECTURE.md', 'docs/security.md']));
  });
});
