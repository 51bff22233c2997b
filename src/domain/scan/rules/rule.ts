/** The shape of a scan rule. Rules are data; `scan/scanner` matches them. */
import type { ScanSeverity } from '../../../shapes/scan.ts';

/** Expressions, and what each line contains that one of them matches. Quick to test; lines without it are skipped. */
export interface ExpressionSet {
  hint: RegExp;
  /** What a line contains that has a part which the hint matches, such as a comment, if the hint looks at the beginning. */
  partHint?: RegExp;
  /** What the hint matches within a word, so that each word is tested once and not each line: these parts and these words. */
  inWords?: { parts: readonly string[]; words: readonly string[] };
  /** What a line contains besides the hint that one of the expressions matches. */
  needs?: RegExp;
  expressions: readonly RegExp[];
}

/** One rule. `scan/pattern` describes the syntax of patterns. Expressions have bounded repetition and match one line. */
export interface ScanRule {
  id: string;
  severity: ScanSeverity;
  /** The reason of a finding, as one sentence. */
  why: string;
  /**
   * What the patterns are matched against.
   * `text`: sentences of prose, of hidden text, and of code blocks that contain text. `command`: the same and lines
   * of code. `block`: a code block as one sentence. `tool`: sentences of a tool definition. `hidden`: sentences of
   * hidden text. `tagged`: the content of a pseudo-tag as one sentence.
   */
  scope: 'text' | 'command' | 'block' | 'tool' | 'hidden' | 'tagged';
  patterns?: readonly string[];
  expressions?: readonly ExpressionSet[];
  /** Symbols that suppress a match in the same sentence or block. */
  unless?: readonly string[];
  /** Patterns of honest wordings. A match that overlaps one of them is no finding. */
  excuses?: readonly string[];
  /** Whether a secret may go to the service that it is named after: `$STRIPE_KEY` to `api.stripe.com`. */
  ownKey?: true;
  /**
   * What excuses a match: by default a negation, quotation marks or a mention as an example in the same sentence.
   * `unless negated`: only a negation. `always`: none of them.
   */
  assertion?: 'unless negated' | 'always';
}
