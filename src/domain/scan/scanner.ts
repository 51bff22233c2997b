/**
 * The content scan: finds prompt injection and other attacks in the text of skills and tools.
 * Deterministic, offline, linear in the length of the text, and done in time slices. It matches wording only and does
 * not see what a script does or what a harmless sentence implies, so the absence of findings is no proof of safety.
 */
import { inTimeSlices } from '../../flow/time-slices.ts';
import { compareSeverity, isInFile, type ScanFinding, type ScanSeverity, scanLimits } from '../../shapes/scan.ts';
import { isAsserted } from './assertion.ts';
import { commentsOf } from './code-comments.ts';
import { decodedTexts, encodedBlocks, encodedLengthMin } from './encoded-text.ts';
import { expressionMatch, expressionWindowLength } from './expression-match.ts';
import { Findings } from './findings.ts';
import { characterRules } from './hidden-text.ts';
import { isStepEnd, piecesOf, type ScanLine, writtenLines } from './lines.ts';
import { indexSentence, type PatternMatch, type SentenceIndex } from './pattern.ts';
import { hiddenRules } from './rules/hidden.ts';
import type { ScanRule } from './rules/rule.ts';
import { expressionRules, knownSymbols, type RuleIndex, rulesFor } from './rules/rule-set.ts';
import { type Segment, segmentsOf, taggedBlocks } from './segments.ts';
import { dataLine, segmentLanguage, type TextFormat, textLanguages } from './text-format.ts';
import { normalisedLine } from './text-normalisation.ts';
import { areOwnKeys, hostOf } from './token-classes.ts';
import { type ScanToken, sentencesOf } from './tokens.ts';

/** A named part of a skill or tool, such as `instructions` or `files/notes.md`. */
export interface ScanPart {
  part: string;
  text: string;
  /** Markdown if absent. */
  format?: TextFormat;
}

/** Options of a scan. */
export interface ScanOptions {
  /** Additional rules apply to tools. */
  subject: 'skill' | 'tool';
  /** Hosts, or hosts with a path, whose installers may be fetched and run. Subdomains are not included. */
  installerHosts?: readonly string[];
}

/**
 * Scans the parts of one skill or tool, and yields to the event loop in between. Returns at most
 * `scanLimits.findingsMax` findings, worst first. Never throws.
 */
export function scanContent(parts: readonly ScanPart[], options: ScanOptions): Promise<ScanFinding[]> {
  return inTimeSlices(scanSteps(parts, options));
}

/** The worst severity among findings; undefined for none. */
export function worstSeverity(findings: readonly ScanFinding[]): ScanSeverity | undefined {
  return findings.map(({ severity }) => severity).sort(compareSeverity)[0];
}

/** The steps of a scan, each of which takes a few milliseconds at most. */
function* scanSteps(parts: readonly ScanPart[], options: ScanOptions): Generator<void, ScanFinding[]> {
  const findings = new Findings();
  let left: number = scanLimits.totalLengthMax;
  for (const { part, text, format = 'markdown' } of parts) {
    const lengthMax = Math.min(scanLimits.partLengthMax, left);
    // A file that is longer than an agent reads at once is for an operator to look at; anything else this long is not honest.
    const tooLong = isInFile({ part }) ? { ...hiddenRules.tooLong, severity: 'medium' as const } : hiddenRules.tooLong;
    if (text.length > lengthMax) findings.add(tooLong, { part, line: 1, written: [] });
    const read = text.slice(0, lengthMax);
    left -= read.length;
    yield* scanPart({ part, written: yield* writtenLines(read), format, options, findings, depth: 0 });
  }
  return findings.sorted();
}

interface PartScan {
  part: string;
  /** The lines of the part as written. */
  written: readonly string[];
  format: TextFormat;
  options: ScanOptions;
  findings: Findings;
  /** How many encodings this text was inside of. */
  depth: number;
}

const decodingsMax = 2;

function* scanPart(scan: PartScan): Generator<void> {
  const { written, format, part, findings } = scan;
  const lines: ScanLine[] = [];
  for (const [index, text] of written.entries()) {
    if (isStepEnd(index)) yield;
    if (text === '' && lines.at(-1)?.text === '') continue;
    if (text === '') lines.push({ text, line: index + 1, offset: 0 });
    else
      for (const piece of piecesOf(text, index + 1)) {
        for (const rule of characterRules(piece.text)) findings.add(rule, { part, written, line: piece.line });
        const normalised = normalisedLine(piece.text);
        if (scan.depth < decodingsMax && text.length >= encodedLengthMin)
          yield* scanDecoded(scan, [piece.text, normalised], piece.line);
        lines.push({ ...piece, text: format === 'data' ? dataLine(normalised) : normalised });
        if (piece.offset > 0) yield;
      }
  }
  if (scan.depth < decodingsMax)
    yield* forEach(encodedBlocks(written), ({ text, line }) => scanDecoded(scan, [text], line));
  yield* forEach(segmentsIn(lines, format), (segment) => scanSegment(scan, segment));
  yield* forEach(taggedBlocks(lines), (block) => scanTagged(scan, block));
}

/** Runs the steps of each item, and one step for each undefined, which is a pause. */
function* forEach<Item>(items: Iterable<Item | undefined>, steps: (item: Item) => Generator<void>): Generator<void> {
  for (const item of items) {
    if (item === undefined) yield;
    else yield* steps(item);
  }
}

function segmentsIn(lines: ScanLine[], format: TextFormat): Iterable<Segment | undefined> {
  return format === 'markdown' ? segmentsOf(lines) : [{ kind: 'code', language: segmentLanguage(format), lines }];
}

/** Scans the decoded texts of a line, and reports the line if one of them has a high or critical finding. */
function* scanDecoded(scan: PartScan, forms: readonly string[], line: number): Generator<void> {
  for (const text of new Set([...new Set(forms)].flatMap(decodedTexts))) {
    const inner = new Findings();
    const written = yield* writtenLines(text);
    yield* scanPart({ ...scan, written, format: 'markdown', findings: inner, depth: scan.depth + 1 });
    const worst = worstSeverity(inner.sorted());
    if (worst === 'critical' || worst === 'high')
      scan.findings.add(hiddenRules.encoded, { part: scan.part, line, written: scan.written }, text);
  }
}

function* scanSegment(scan: PartScan, segment: Segment): Generator<void> {
  const { kind, language, lines } = segment;
  if (lines.every(({ text }) => text.length < textLengthMin)) return;
  if (kind === 'code') yield* scanCode(scan, segment);
  else yield* scanSentences(scan, segment);
  if (kind === 'code' && !textLanguages.has(language)) {
    yield* forEach(commentsOf(lines), (comment) =>
      scanSegment(scan, { kind: 'comment', language: '', lines: comment }),
    );
    return;
  }
  for (const line of lines) {
    yield* applyExpressions(scan, segment, line);
    if (line.text.length > expressionWindowLength || isStepEnd(line.line)) yield;
  }
}

function* scanSentences(scan: PartScan, segment: Segment): Generator<void> {
  const { kind, context } = segment;
  const rules = rulesFor(kind === 'hidden' ? 'hidden' : kind === 'comment' ? 'comment' : scan.options.subject);
  let isFirst = true;
  for (const tokens of sentencesOf(segment.lines)) {
    yield;
    const [start] = tokens ?? [];
    if (tokens === undefined) continue;
    if (context === 'option' && start !== undefined) tokens[0] = { ...start, symbols: [...start.symbols, '@option'] };
    applyRules(scan, { segment, index: indexSentence(tokens, knownSymbols), isFirst, rules });
    isFirst = false;
  }
}

const blockTokensMax = 600;

/** Applies the rules of commands to each line of code, and those of blocks to lines together. */
function* scanCode(scan: PartScan, segment: Segment): Generator<void> {
  const isProgram = !textLanguages.has(segment.language);
  const rules = rulesFor(isProgram ? 'program' : scan.options.subject);
  let block: ScanToken[] = [];
  const endBlock = () => {
    applyRules(scan, { segment, index: indexSentence(block, knownSymbols), isFirst: false, rules: rulesFor('block') });
    block = [];
  };
  for (const line of logicalLines(segment.lines)) {
    for (const tokens of sentencesOf(line)) {
      yield;
      if (tokens === undefined) continue;
      applyRules(scan, { segment, index: indexSentence(tokens, knownSymbols), isFirst: false, rules });
      if (block.length + tokens.length > blockTokensMax) endBlock();
      block.push(...tokens);
    }
  }
  endBlock();
}

/** Scans the content of a pseudo-tag as one block. */
function* scanTagged(scan: PartScan, lines: readonly ScanLine[]): Generator<void> {
  const segment: Segment = { kind: 'hidden', language: '', lines: [] };
  let block: ScanToken[] = [];
  const endBlock = () => {
    applyRules(scan, { segment, index: indexSentence(block, knownSymbols), isFirst: false, rules: rulesFor('tagged') });
    block = [];
  };
  for (const tokens of sentencesOf(lines)) {
    yield;
    if (tokens === undefined) continue;
    if (block.length + tokens.length > blockTokensMax) endBlock();
    block.push(...tokens);
  }
  endBlock();
}

/** Joins lines of code with their continuations. A line that ends in a backslash, `|` or `&&` is continued. */
function* logicalLines(lines: readonly ScanLine[]): Generator<ScanLine[]> {
  let logical: ScanLine[] = [];
  for (const line of lines) {
    logical.push(line);
    if (/(?:\\|\||&&)\s{0,8}$/.test(line.text)) continue;
    yield logical;
    logical = [];
  }
  if (logical.length > 0) yield logical;
}

interface RuleApplication {
  segment: Segment;
  index: SentenceIndex;
  /** Whether the sentence is the first of its segment. */
  isFirst: boolean;
  rules: RuleIndex;
}

function applyRules(scan: PartScan, { segment, index, isFirst, rules }: RuleApplication): void {
  const context = { index, kind: segment.kind, isProhibited: segment.context === 'prohibited' && isFirst };
  const tried = new Set();
  for (const symbol of index.places.keys()) {
    for (const prepared of rules.get(symbol) ?? []) {
      if (tried.has(prepared)) continue;
      tried.add(prepared);
      const { rule, pattern } = prepared;
      if (rule.unless?.some((excuse) => index.places.has(excuse))) continue;
      const match = pattern.find(index).find((found) => {
        const matched = matchedTokens(index, found);
        const isExempt =
          rule.id === 'RCE-01'
            ? isAllowedInstaller(
                matched.some(({ text }) => hostOf(text) !== undefined) ? matched : index.tokens,
                scan.options,
              )
            : sendsOwnKey(rule, index.tokens);
        return !isExempt && isAsserted(found, prepared, context);
      });
      if (match !== undefined) report(scan, segment, rule, matchedTokens(index, match));
    }
  }
}

function matchedTokens({ tokens }: SentenceIndex, { first, last }: PatternMatch): readonly ScanToken[] {
  return tokens.slice(first, last + 1);
}

/** Whether all addresses among the tokens are on hosts that an operator allows installers from. */
function isAllowedInstaller(tokens: readonly ScanToken[], { installerHosts = [] }: ScanOptions): boolean {
  const addresses = tokens.flatMap(({ text }) => (hostOf(text) === undefined ? [] : text.replace(/^\w+:\/\//, '')));
  const isAllowed = (address: string) =>
    installerHosts.some((prefix) => address === prefix || address.startsWith(`${prefix}/`));
  return addresses.length > 0 && addresses.every(isAllowed);
}

function sendsOwnKey(rule: ScanRule, tokens: readonly ScanToken[]): boolean {
  if (rule.ownKey !== true) return false;
  const variables = tokens.filter(({ symbols }) => symbols.includes('@secretvar')).map(({ text }) => text);
  return areOwnKeys(
    variables,
    tokens.flatMap(({ text }) => hostOf(text) ?? []),
  );
}

// The length of the shortest text that a rule can match.
const textLengthMin = 4;

function* applyExpressions(scan: PartScan, segment: Segment, { text: formatted, line }: ScanLine): Generator<void> {
  if (formatted.length < textLengthMin) return;
  const text = formatted.replaceAll(/\*+/g, '').replaceAll(/ {2,}/g, ' ');
  for (const { rule, expressions, expressionHint } of expressionRules) {
    const found = expressionHint?.test(text) === false ? undefined : yield* expressionMatch(expressions, text);
    if (found !== undefined) report(scan, segment, rule, [{ text: found.toLowerCase(), line }]);
  }
}

function report(
  { part, written, findings }: PartScan,
  { kind }: Segment,
  rule: ScanRule,
  tokens: readonly Pick<ScanToken, 'text' | 'line'>[],
): void {
  const place = { part, written, line: tokens[0]?.line ?? 1, tokens };
  findings.add(rule, place);
  if (kind === 'hidden' && rule.scope !== 'tagged' && rule.severity !== 'low')
    findings.add(hiddenRules.hiddenInstruction, place);
}
