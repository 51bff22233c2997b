/** What a rule of the scan is. Rules are data; how they are matched is `content-scan`'s business. */
import type { ScanSeverity } from '../../../shapes/scan.ts';

/** One rule. Its patterns are written as `scan-pattern` says; its expressions are bounded and read one line at a time. */
export interface ScanRule {
  id: string;
  severity: ScanSeverity;
  /** One sentence, for whoever reads the finding. */
  why: string;
  /**
   * `text`: sentences of prose, of hidden text and of code that holds text. `command`: those and lines of code.
   * `block`: a block of code as a whole. `tool`: sentences of a tool's definition only.
   * `hidden`: sentences of hidden text only. `tagged`: what a pseudo-tag encloses, as a whole.
   */
  in: 'text' | 'command' | 'block' | 'tool' | 'hidden' | 'tagged';
  patterns?: readonly string[];
  expressions?: readonly RegExp[];
  /** Symbols that excuse a match when they are in the same sentence or block. */
  unless?: readonly string[];
  /** The sentence need not order it: the rule holds behind a negation and inside quotation marks too. */
  unconditional?: boolean;
}
