/** Globs of names: `*` matches any text, `?` one character. A match takes linear time. */
import { RE2JS } from 're2js';

const wildcards = new Map([
  ['*', '.*'],
  ['?', '.'],
]);

/** Compiles a glob that must match a name completely. */
export function compileGlob(glob: string): (name: string) => boolean {
  const source = glob.replace(/[*?]|[^*?]+/g, (part) => wildcards.get(part) ?? RE2JS.quote(part));
  const pattern = RE2JS.compile(source, RE2JS.DOTALL);
  return (name) => pattern.matches(name);
}
