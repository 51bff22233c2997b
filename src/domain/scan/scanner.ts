/**
 * The content scan: finds prompt injection and other attacks in the text of skills and tools.
 * Deterministic, offline, linear in the length of the text, and done in time slices. It matches wording only and does
 * not see what a script does or what a harmless sentence implies, so the absence of findings is no proof of safety.
 */
import { inTimeSlices } from '../../flow/time-slices.ts';
import { compareSeverity, isInFile, type ScanFinding, type ScanSeverity, scanLimits } from '../../shapes/scan.ts';
import { isAllowed, isAsserted } from './assertion.ts';
import { commentsOf } from './code-comments.ts';
import { decodedTexts, encodedBlocks } from './encoded-text.ts';
import { expressionMatches, expressionWindowLength } from './expression-match.ts';
import { cleanTextOf, Findings } from './findings.ts';
import { isStepEnd, logicalLines, logicalLinesFor, placesOfLines, type ScanLine, writtenLines } from './lines.ts';
import { partLines } from './part-lines.ts';
import { indexSentence, type PatternMatch, type ScanToken, type SentenceIndex } from './pattern.ts';
import { hiddenRules } from './rules/hidden.ts';
import type { ScanRule } from './rules/rule.ts';
import { bitOf, expressionBit, mayMatch, stepsOf } from './rules/rule-filter.ts';
import { knownSymbols, type RulePlace, rulesFor } from './rules/rule-set.ts';
import { anyReach, linesMayMatch } from './rules/step-signature.ts';
import { type Segment, segmentsOf, taggedBlocks } from './segments.ts';
import { segmentLanguage, type TextFormat, textLanguages } from './text-format.ts';
import { optionReach } from './words/line-reach.ts';
import { BlockFilter, SentenceBlock, SentenceReader } from './words/tokens.ts';

/** A named part of a skill or tool, such as `instructions` or `files/notes.md`. */
export interface ScanPart {
  part: string;
  text: string;
  /** Markdown if absent. */
  format?: TextFormat;
  /** The SHA-256 of the text, with which it is scanned once where it has no findings. */
  digest?: string;
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
  const reader = idleReaders.pop() ?? new SentenceReader();
  let left: number = scanLimits.totalLengthMax;
  for (const { part, text, format = 'markdown', digest } of parts) {
    const lengthMax = Math.min(scanLimits.partLengthMax, left);
    // A file that is longer than an agent reads at once is for an operator to look at; anything else this long is not honest.
    const tooLong = isInFile({ part }) ? { ...hiddenRules.tooLong, severity: 'medium' as const } : hiddenRules.tooLong;
    if (text.length > lengthMax) findings.add(tooLong, { part, line: 1, written: [] });
    const read = text.slice(0, lengthMax);
    left -= read.length;
    const clean = digest === undefined || read !== text ? undefined : cleanTextOf(digest, format, options);
    if (clean?.isKnown() === true) continue;
    const { additions } = findings;
    yield* scanPart({ part, written: yield* writtenLines(read), format, options, findings, reader, depth: 0 });
    if (findings.additions === additions) clean?.remember();
  }
  idleReaders.push(reader);
  return findings.sorted();
}

/** Readers of sentences that no scan uses. */
const idleReaders: SentenceReader[] = [];

interface PartScan {
  part: string;
  /** The lines of the part as written. */
  written: readonly string[];
  format: TextFormat;
  options: ScanOptions;
  findings: Findings;
  /** The reader of sentences, for one segment after another. */
  reader: SentenceReader;
  /** How many encodings this text was inside of. */
  depth: number;
}

const decodingsMax = 2;

function* scanPart(scan: PartScan): Generator<void> {
  const { written, format, part, findings } = scan;
  const readsEncoded = scan.depth < decodingsMax;
  const lines = yield* partLines(written, format, {
    onCharacters: (rule, line) => findings.add(rule, { part, written, line }),
    onDecoded: (texts, line) => scanDecoded(scan, readsEncoded ? texts : [], line),
  });
  if (readsEncoded)
    yield* forEach(encodedBlocks(written), ({ text, line }) => scanDecoded(scan, decodedTexts(text), line));
  yield* forEach(segmentsIn(lines, format), (segment) => scanSegment(scan, segment));
  yield* forEach(taggedBlocks(lines), (block) =>
    scanBlock(scan, { kind: 'hidden', language: '', lines: block }, 'tagged'),
  );
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
function* scanDecoded(scan: PartScan, texts: readonly string[], line: number): Generator<void> {
  for (const text of new Set(texts)) {
    const inner = new Findings();
    const written = yield* writtenLines(text);
    yield* scanPart({ ...scan, written, format: 'markdown', findings: inner, depth: scan.depth + 1 });
    const worst = worstSeverity(inner.sorted());
    if (worst === 'critical' || worst === 'high')
      scan.findings.add(hiddenRules.encoded, { part: scan.part, line, written: scan.written }, text);
  }
}

function* scanSegment(scan: PartScan, segment: Segment): Generator<void> {
  const { kind, language, lines, context } = segment;
  const ofContext = context === 'option' ? optionReach : undefined;
  const places = placesOfLines(lines) | (ofContext?.places ?? 0);
  if (places === 0 || lines.every(({ text }) => text.length < textLengthMin)) return;
  if (kind === 'code') yield* scanCode(scan, segment, places);
  else if (linesMayMatch(placeOf(scan, segment), lines, ofContext)) yield* scanSentences(scan, segment);
  if ((places & (bitOf('comment') | expressionBit)) === 0) return;
  if (kind === 'code' && !textLanguages.has(language)) {
    if ((places & expressionBit) === 0 && !linesMayMatch('comment', lines)) return;
    yield* forEach(commentsOf(lines), (comment) =>
      scanSegment(scan, { kind: 'comment', language: '', lines: comment }),
    );
    return;
  }
  for (const line of lines) {
    if (((line.reach ?? anyReach).places & expressionBit) === 0) continue;
    for (const { rule, found } of yield* expressionMatches(line.text))
      report(scan, segment, rule, [{ text: found, line: line.line }]);
    if (line.text.length > expressionWindowLength || isStepEnd(line.line)) yield;
  }
}

function placeOf({ options }: PartScan, { kind, language }: Segment): RulePlace {
  if (kind === 'code') return textLanguages.has(language) ? options.subject : 'program';
  return kind === 'hidden' || kind === 'comment' ? kind : options.subject;
}

const optionSteps = stepsOf(['@option']);

/** Words between two pauses. */
const wordsPerStep = 512;

function* scanSentences(scan: PartScan, segment: Segment): Generator<void> {
  const place = placeOf(scan, segment);
  const isOption = segment.context === 'option';
  let isFirst = true;
  const { reader } = scan;
  reader.begin((sentence) => {
    if (mayMatch(place, sentence, isOption ? optionSteps : [])) {
      const tokens = sentence.tokens();
      const [start] = tokens;
      if (isOption && start !== undefined) tokens[0] = { ...start, symbols: [...start.symbols, '@option'] };
      applyRules(scan, { segment, tokens, isFirst, place });
      reader.wordsRead = wordsPerStep;
    }
    isFirst = false;
  });
  yield* readLines(reader, segment.lines);
  reader.end();
}

function* readLines(reader: SentenceReader, lines: readonly ScanLine[]): Generator<void> {
  for (const line of lines) {
    reader.read(line);
    if (reader.wordsRead < wordsPerStep) continue;
    reader.wordsRead = 0;
    yield;
  }
}

/** Applies the rules of commands to each line of code, and those of blocks to lines together. */
function* scanCode(scan: PartScan, segment: Segment, places: number): Generator<void> {
  const place = placeOf(scan, segment);
  const isBlock = linesMayMatch('block', segment.lines);
  if (!isBlock && (places & bitOf(place)) === 0) return;
  const filter = new BlockFilter((block) => mayMatch('block', block));
  const { reader } = scan;
  reader.begin((sentence) => {
    if (isBlock) filter.add(sentence);
    if (!mayMatch(place, sentence)) return;
    applyRules(scan, { segment, tokens: sentence.tokens(), isFirst: false, place });
    reader.wordsRead = wordsPerStep;
  });
  for (const line of isBlock ? logicalLines(segment.lines) : logicalLinesFor(segment.lines, bitOf(place))) {
    if (isStepEnd(line[0]?.line ?? 0)) yield;
    if (!isBlock && !linesMayMatch(place, line)) continue;
    yield* readLines(reader, line);
    reader.end();
  }
  filter.end();
  if (filter.mayMatch) yield* scanBlock(scan, segment, 'block');
}

/** Applies the rules of a place to sentences together. Most code has no word for them, and is not read for them. */
function* scanBlock(scan: PartScan, segment: Segment, place: 'block' | 'tagged'): Generator<void> {
  if (!linesMayMatch(place, segment.lines)) return;
  const block = new SentenceBlock((words) => {
    if (mayMatch(place, words)) applyRules(scan, { segment, tokens: words.tokens, isFirst: false, place });
  });
  const { reader } = scan;
  reader.begin((sentence) => block.add(sentence));
  for (const lines of place === 'tagged' ? [segment.lines] : logicalLines(segment.lines)) {
    yield* readLines(reader, lines);
    reader.end();
  }
  block.end();
}

interface RuleApplication {
  segment: Segment;
  tokens: readonly ScanToken[];
  /** Whether the sentence is the first of its segment. */
  isFirst: boolean;
  place: RulePlace;
}

function applyRules(scan: PartScan, { segment, tokens, isFirst, place }: RuleApplication): void {
  const index = indexSentence(tokens, knownSymbols);
  const rules = rulesFor(place);
  const context = { index, kind: segment.kind, isProhibited: segment.context === 'prohibited' && isFirst };
  const { installerHosts = [] } = scan.options;
  const tried = new Set();
  for (const symbol of index.places.keys()) {
    for (const prepared of rules.get(symbol) ?? []) {
      if (tried.has(prepared)) continue;
      tried.add(prepared);
      const { rule, pattern } = prepared;
      if (rule.unless?.some((excuse) => index.places.has(excuse))) continue;
      const match = pattern.find(index).find((found) => {
        const matched = matchedTokens(index, found);
        return !isAllowed(rule, { matched, all: index.tokens }, installerHosts) && isAsserted(found, prepared, context);
      });
      if (match !== undefined) report(scan, segment, rule, matchedTokens(index, match));
    }
  }
}

function matchedTokens({ tokens }: SentenceIndex, { first, last }: PatternMatch): readonly ScanToken[] {
  return tokens.slice(first, last + 1);
}

// The length of the shortest text that a rule can match.
const textLengthMin = 4;

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
