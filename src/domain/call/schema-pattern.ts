/**
 * Regular expressions of upstream schemas, matched in linear time by RE2. On the JavaScript engine a hostile pattern with
 * hostile arguments can block the event loop without limit.
 */
import { RE2JS } from 're2js';

/** A pattern as the schema compiler uses it. */
export interface SchemaPattern {
  test(text: string): boolean;
  /** The source; the schema compiler uses it as the cache key. */
  toString(): string;
}

/**
 * Compiles a pattern. Servers in Go, Rust and Python write patterns of their own dialects, most of which RE2 reads:
 * `(?i)`, `\A`, `[[:alpha:]]`, `\@`. A pattern that RE2 does not support (lookaround, backreferences) matches everything: the
 * upstream server checks its arguments itself.
 * @throws SyntaxError where the text is no regular expression of any dialect, which makes the schema broken
 */
export function compileSchemaPattern(source: string): SchemaPattern {
  try {
    const pattern = RE2JS.compile(source);
    return { test: (text) => pattern.test(text), toString: () => source };
  } catch {
    // Throws where the source is invalid; it is never matched.
    new RegExp(source);
    return { test: () => true, toString: () => source };
  }
}
