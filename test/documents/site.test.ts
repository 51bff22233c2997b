/** The documents as a site: it builds without a dead link, has each page once, and loads nothing from elsewhere. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

describe('the site of the documents', () => {
  let folder: string;
  let files: string[];
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'hestia-docs-'));
    const env = { ...process.env, PATH: `${dirname(process.execPath)}:${process.env.PATH}` };
    await promisify(execFile)('npm', ['run', 'docs', '--', '--outDir', folder], { cwd: root, env, maxBuffer: 1e8 });
    files = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test('has a page of each document', () => {
    const documents = readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' });
    const pages = documents.filter((name) => name.endsWith('.md')).map((name) => name.replace(/md$/, 'html'));
    expect(pages).toContain('clients/cursor.html');
    expect(files).toEqual(expect.arrayContaining([...pages, 'index.html', 'architecture.html', 'runbook.html']));
  });

  test('finds words of a page without a service', () => {
    const index = files.filter((name) => /localSearchIndexroot.*\.js$/.test(name));
    expect(index).toHaveLength(1);
    expect(readFileSync(join(folder, index[0] ?? ''), 'utf8')).toContain('checkpoint');
  });

  test('loads no style, script, font or picture from elsewhere', () => {
    const loads = /<(?:script|img|iframe|source)[^>]*\ssrc="([^"]*)"|<link[^>]*\shref="([^"]*)"|url\(([^)]*)\)/g;
    const loaded = files
      .filter((name) => /\.(?:html|css)$/.test(name))
      .flatMap((name) => [...readFileSync(join(folder, name), 'utf8').matchAll(loads)])
      .map((match) => match.slice(1).find((address) => address !== undefined) ?? '');
    expect(loaded.length).toBeGreaterThan(100);
    expect(loaded.filter((address) => /^["']?(?:[a-z]+:)?\/\//.test(address))).toEqual([]);
  });
});
