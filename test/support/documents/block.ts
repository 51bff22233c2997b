/** The code blocks of the documents, and the files that are documents. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder of the repository. */
export const repositoryFolder = fileURLToPath(new URL('../../..', import.meta.url));

/** A fenced block. */
export interface Block {
  /** The document, relative to the repository. */
  readonly path: string;
  /** The line of the document with the fence that opens the block, from 1. */
  readonly line: number;
  /** The first word after the fence: `sh`, `json` and so on; empty if there is none. */
  readonly language: string;
  /** What follows the first word. */
  readonly info: string;
  readonly text: string;
  /** Whether only empty lines separate it from the block before it, so that it is what those commands print. */
  readonly isOutput: boolean;
}

/** The Markdown files of the repository, without skills, which are data. */
export function documentPaths(): string[] {
  const options = ['--cached', '--others', '--exclude-standard', '*.md'];
  return execFileSync('git', ['ls-files', ...options], { cwd: repositoryFolder, encoding: 'utf8' })
    .split('\n')
    .filter((path) => path !== '' && !/^(?:test\/fixtures\/)?skills\//.test(path))
    .filter((path) => existsSync(join(repositoryFolder, path)));
}

/** The text of a document. */
export function readDocument(path: string): string {
  return readFileSync(join(repositoryFolder, path), 'utf8');
}

/** The blocks of a document, in order. */
export function blocksOf(path: string, text: string = readDocument(path)): Block[] {
  const blocks: Block[] = [];
  const fence = /^ *```([^\s`]*) *([^\n`]*)\n(.*?)^ *```$/gms;
  let lastLanguage = '';
  let lastEnd = 0;
  for (const match of text.matchAll(fence)) {
    const [whole, language = '', info = '', content = ''] = match;
    const follows = text.slice(lastEnd, match.index).trim() === '';
    blocks.push({
      path,
      line: text.slice(0, match.index).split('\n').length,
      ...{ language, info, text: content },
      isOutput: lastLanguage === 'sh' && follows,
    });
    lastLanguage = language;
    lastEnd = match.index + whole.length;
  }
  return blocks;
}
