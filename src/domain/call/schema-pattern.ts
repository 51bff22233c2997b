/**
 * The `pattern`s of upstream schemas, matched in linear time (RE2): on the JavaScript engine a hostile pattern with
 * hostile arguments holds the event loop up for as long as it likes.
 */
import { RE2JS } from 're2js';

/** A pattern as the schema compiler uses it. */
export interface SchemaPattern {
  test(text: string): boolean;
  /** Different for different patterns: the compiler keeps them by it. */
  toString(): string;
}

/**
 * Compiles a pattern. One that linear time cannot match (it looks around, or back at what it found) is not checked
 * here, and fits everything: the upstream checks its arguments itself.
 * @throws SyntaxError for what is no pattern at all, which makes the schema broken
 */
export function compileSchemaPattern(source: string, flags: string): SchemaPattern {
  // Not to be matched with; it says whether this is a pattern.
  new RegExp(source, flags);
  try {
    const pattern = RE2JS.compile(source);
    return { test: (text) => pattern.test(text), toString: () => source };
  } catch {
    return { test: () => true, toString: () => source };
  }
}
