/** The formats of scanned files, by name, and how the text of data files is read. Pure. */

/** How a text is read: as Markdown, as strings of structured data, or as a program in a language. */
export type TextFormat = 'markdown' | 'data' | `program:${string}`;

// Code blocks in these languages contain text, often a prompt, rather than a program.
/** The languages of code blocks that are read as text. */
export const textLanguages: ReadonlySet<string> = new Set([
  '',
  'system',
  'assistant',
  'instructions',
  'text',
  'txt',
  'markdown',
  'md',
  'prompt',
  'plaintext',
  'plain',
  'html',
  'xml',
  'yaml',
  'yml',
]);

const dataFile =
  /\.(?:json|jsonl|json5|jsonc|ndjson|ipynb|ya?ml|csv|tsv|toml|ini|cfg|conf|properties|xml|svg|plist)(?:\.(?:bak|old|orig|tmpl|template|example|sample))?$/i;
const programFile =
  /\.(sh|bash|zsh|fish|ps1|psm1|bat|cmd|py|pyi|rb|pl|php|lua|r|jl|js|jsx|mjs|cjs|ts|tsx|mts|cts|java|kt|kts|scala|groovy|go|rs|c|h|cc|cpp|hpp|cs|fs|vb|swift|m|mm|dart|ex|exs|erl|hs|ml|clj|sql|tf|gradle|cmake|make|mk|vue|svelte|astro|css|scss|less|sol|nix|awk|sed|applescript|yar|yara|proto|graphql|tex|bib|sty|cls|lock|xsd|dtd|csproj|props|targets|sln|bats|hook)$/i;

/** The format of a file. Files of unknown and without extension are read as Markdown. */
export function formatOf(path: string): TextFormat {
  if (dataFile.test(path)) return 'data';
  const extension = programFile.exec(path)?.[1];
  if (extension !== undefined) return `program:${extension.toLowerCase()}`;
  return /(?:^|\/)(?:Dockerfile|Makefile|Jenkinsfile|Gemfile|Rakefile|Vagrantfile)$/.test(path)
    ? 'program:sh'
    : 'markdown';
}

/** The language of the code that a text of this format consists of. Data is read as text. */
export function segmentLanguage(format: TextFormat): string {
  return format === 'data' ? '' : format.replace('program:', '');
}

const escapes: Readonly<Record<string, string>> = { n: ' ', r: ' ', t: ' ', '"': ' ', '/': '/', '\\': ' ' };

const escaped = /\\(?:u([0-9a-fA-F]{4})|([nrt"/\\]))/g;

function resolvedEscape(_found: string, code: unknown, letter: unknown): string {
  if (code === undefined) return escapes[String(letter)] ?? ' ';
  return String.fromCharCode(Number.parseInt(String(code), 16));
}

/** A line of structured data with its escapes resolved and each of its strings as a sentence. */
export function dataLine(line: string): string {
  const resolved = line.includes('\\') ? line.replace(escaped, resolvedEscape) : line;
  return resolved.includes('"') ? resolved.replaceAll('"', ' . ') : resolved;
}
