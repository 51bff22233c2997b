/** Parses the tree of `src/` in ARCHITECTURE.md: a fenced block whose first line begins with `src/`. */

const indentation = 2;

/**
 * The files of the tree, relative to `src/`, sorted. Each line holds a name, indented by two spaces a level, and an optional
 * comment after further spaces. Names of folders end in `/`.
 * @throws Error if there is no such block, or a line is not indented below a folder
 */
export function drawnFiles(markdown: string): string[] {
  const [root, ...lines] = drawnLines(markdown);
  if (root === undefined) throw new Error('no fenced block begins with src/');
  const folders: string[] = [];
  const files: string[] = [];
  for (const line of lines) {
    const name = line.trim().split(/\s+/)[0] ?? '';
    const depth = (line.length - line.trimStart().length) / indentation - 1;
    if (!Number.isInteger(depth) || depth < 0 || depth > folders.length) {
      throw new Error(`the tree of src/ is not indented by two spaces a level: ${line}`);
    }
    folders.length = depth;
    const path = [...folders, name].join('');
    if (name.endsWith('/')) folders.push(name);
    else files.push(path);
  }
  return files.sort();
}

function drawnLines(markdown: string): string[] {
  const blocks = [...markdown.matchAll(/^```[^\n]*\n(.*?)^```/gms)].map((match) => match[1] ?? '');
  const block = blocks.find((text) => /^src\/(?:\s|$)/.test(text)) ?? '';
  return block.split('\n').filter((line) => line.trim() !== '');
}
