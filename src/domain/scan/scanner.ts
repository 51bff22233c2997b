/**
 * The content scan: finds prompt injection and other attacks in the text of skills and tools.
 * Deterministic, offline, and linear in the length of the text. It matches wording only and does not see what a
 * script does or what a harmless sentence implies, so the absence of findings is no proof of safety.
 */
import { compareSeverity, type ScanFinding, type ScanSeverity, scanLimits } from '../../shapes/scan.ts';
import { quotable } from '../../shapes/text.ts';
import { characterRules, decodedTexts } from './hidden-text.ts';
import { indexSentence, type PatternMatch, type SentenceIndex } from './pattern.ts';
import { hiddenRules } from './rules/hidden.ts';
import type { ScanRule } from './rules/rule.ts';
import { expressionRules, type PreparedRule, rulesFor } from './rules/rule-set.ts';
import { type Segment, segmentsOf, taggedBlocks } from './segments.ts';
import { normalisedLine } from './text-normalisation.ts';
import { hostOf } from './token-classes.ts';
import { type ScanLine, type ScanToken, sentencesOf } from './tokens.ts';

/** A named part of a skill or tool, such as `instructions` or `files/notes.md`. */
export interface ScanPart {
  part: string;
  text: string;
}

/** Options of a scan. */
export interface ScanOptions {
  /** Additional rules apply to tools. */
  subject: 'skill' | 'tool';
  /** Hosts, or hosts with a path, whose installers may be fetched and run. Subdomains are not included. */
  installerHosts?: readonly string[];
}

/** Scans the parts of one skill or tool. Returns at most `scanLimits.findingsMax` findings, worst first. Never throws. */
export function scanContent(parts: readonly ScanPart[], options: ScanOptions): ScanFinding[] {
  const findings = new Findings();
  let left: number = scanLimits.totalLengthMax;
  for (const { part, text } of parts) {
    const lengthMax = Math.min(scanLimits.partLengthMax, left);
    if (text.length > lengthMax) findings.add(hiddenRules.tooLong, { part, line: 1 }, '');
    const read = text.slice(0, lengthMax);
    left -= read.length;
    scanPart({ part, text: read, options, findings, depth: 0 });
  }
  return findings.sorted();
}

/** The worst severity among findings; undefined for none. */
export function worstSeverity(findings: readonly ScanFinding[]): ScanSeverity | undefined {
  return findings.map(({ severity }) => severity).sort(compareSeverity)[0];
}

interface PartScan {
  part: string;
  text: string;
  options: ScanOptions;
  findings: Findings;
  /** How many encodings this text was inside of. */
  depth: number;
}

const decodingsMax = 2;

function scanPart(scan: PartScan): void {
  const written = scan.text.split(/\r\n|[\n\r\u2028\u2029\u0085]/);
  const lines = written.map((text, index) => ({ text: normalisedLine(text), line: index + 1 }));
  written.forEach((text, index) => {
    if (text === '') return;
    for (const rule of characterRules(text)) scan.findings.add(rule, { part: scan.part, line: index + 1 }, text);
    if (scan.depth < decodingsMax) scanDecoded(scan, [text, lines[index]?.text ?? ''], index + 1);
  });
  for (const segment of segmentsOf(lines)) scanSegment(scan, segment);
  for (const block of taggedBlocks(lines)) scanTagged(scan, block);
}

/** Scans the decoded texts of a line, and reports the line if one of them has a high or critical finding. */
function scanDecoded(scan: PartScan, forms: readonly string[], line: number): void {
  for (const text of new Set(forms.flatMap(decodedTexts))) {
    const inner = new Findings();
    scanPart({ ...scan, text, findings: inner, depth: scan.depth + 1 });
    const worst = worstSeverity(inner.sorted());
    if (worst === 'critical' || worst === 'high')
      scan.findings.add(hiddenRules.encoded, { part: scan.part, line }, text);
  }
}

// Code blocks in these languages contain text, often a prompt, rather than a program.
const textLanguages = new Set([
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

function scanSegment(scan: PartScan, segment: Segment): void {
  const { kind, language, lines } = segment;
  if (lines.every(({ text }) => text.length < textLengthMin)) return;
  const isProgram = kind === 'code' && !textLanguages.has(language);
  const sentences = kind === 'code' ? logicalLines(lines).flatMap((line) => sentencesOf(line)) : sentencesOf(lines);
  for (const tokens of sentences) {
    const index = indexSentence(tokens);
    if (!isProgram) applyRules(scan, segment, index, rulesFor('text'));
    if (!isProgram && scan.options.subject === 'tool') applyRules(scan, segment, index, rulesFor('tool'));
    if (kind === 'hidden') applyRules(scan, segment, index, rulesFor('hidden'));
    applyRules(scan, segment, index, rulesFor('command'));
  }
  if (kind === 'code')
    for (const tokens of blocksOf(sentences)) applyRules(scan, segment, indexSentence(tokens), rulesFor('block'));
  if (!isProgram) for (const line of lines) applyExpressions(scan, segment, line);
}

/** Scans the content of a pseudo-tag as one block. */
function scanTagged(scan: PartScan, lines: readonly ScanLine[]): void {
  for (const tokens of blocksOf(sentencesOf(lines))) {
    applyRules(scan, { kind: 'hidden', language: '', lines: [] }, indexSentence(tokens), rulesFor('tagged'));
  }
}

/** Joins lines of code with their continuations. A line that ends in a backslash, `|` or `&&` is continued. */
function logicalLines(lines: readonly ScanLine[]): ScanLine[][] {
  const logical: ScanLine[][] = [];
  let isContinued = false;
  for (const line of lines) {
    const last = logical.at(-1);
    if (isContinued && last !== undefined) last.push(line);
    else logical.push([line]);
    isContinued = /(?:\\|\||&&)\s{0,8}$/.test(line.text);
  }
  return logical;
}

const blockTokensMax = 600;

function blocksOf(sentences: readonly ScanToken[][]): ScanToken[][] {
  const blocks: ScanToken[][] = [[]];
  for (const sentence of sentences) {
    const last = blocks.at(-1);
    if (last === undefined || last.length + sentence.length > blockTokensMax) blocks.push([...sentence]);
    else last.push(...sentence);
  }
  return blocks;
}

function applyRules(
  scan: PartScan,
  segment: Segment,
  index: SentenceIndex,
  rules: ReadonlyMap<string, readonly PreparedRule[]>,
): void {
  const tried = new Set<PreparedRule>();
  for (const symbol of index.places.keys()) {
    for (const prepared of rules.get(symbol) ?? []) {
      if (tried.has(prepared)) continue;
      tried.add(prepared);
      const { rule, pattern } = prepared;
      if (rule.unless?.some((excuse) => index.places.has(excuse))) continue;
      const match = pattern.find(index).find((found) => {
        const isExempt = rule.id === 'RCE-01' && isAllowedInstaller(matchedTokens(index, found), scan.options);
        return !isExempt && isAsserted(found, { tokens: index.tokens, rule, kind: segment.kind });
      });
      if (match !== undefined) report(scan, segment, rule, matchedTokens(index, match));
    }
  }
}

function matchedTokens({ tokens }: SentenceIndex, { first, last }: PatternMatch): readonly ScanToken[] {
  return tokens.slice(first, last + 1);
}

// How many tokens before a match a negation or a mention still applies to it.
const contextTokensMax = 9;

/** Whether the sentence asserts the match: it is not negated, quoted, or mentioned as an example. */
function isAsserted(
  { first, last }: PatternMatch,
  { tokens, rule, kind }: { tokens: readonly ScanToken[]; rule: ScanRule; kind: Segment['kind'] },
): boolean {
  if (rule.unconditional === true) return true;
  const before = tokens.slice(Math.max(0, first - contextTokensMax), first);
  if (before.some(({ symbols }) => symbols.includes('@negation'))) return false;
  if (kind === 'hidden') return true;
  const quoted = tokens[first]?.quoted === true && tokens[last]?.quoted === true;
  const mentioned = before.some(({ symbols }) => symbols.includes('@mention'));
  // Prose puts the commands it wants run in backticks, so quotation alone does not excuse a command.
  if (rule.scope !== 'text' && rule.scope !== 'tool') return !(quoted && mentioned);
  return !quoted && !mentioned;
}

/** Whether all addresses among the tokens are on hosts that an operator allows installers from. */
function isAllowedInstaller(tokens: readonly ScanToken[], { installerHosts = [] }: ScanOptions): boolean {
  const addresses = tokens.flatMap(({ text }) => (hostOf(text) === undefined ? [] : text.replace(/^\w+:\/\//, '')));
  const isAllowed = (address: string) =>
    installerHosts.some((prefix) => address === prefix || address.startsWith(`${prefix}/`));
  return addresses.length > 0 && addresses.every(isAllowed);
}

function applyExpressions(scan: PartScan, segment: Segment, { text: formatted, line }: ScanLine): void {
  if (formatted.length < textLengthMin) return;
  const text = formatted.replaceAll(/\*+/g, '').replaceAll(/ {2,}/g, ' ');
  for (const { rule, expression } of expressionRules) {
    for (let from = 0; from < text.length; from += windowLength - windowOverlap) {
      const found = expression.exec(text.slice(from, from + windowLength));
      if (found === null) continue;
      report(scan, segment, rule, [{ text: found[0], line, symbols: [], quoted: false }]);
      break;
    }
  }
}

// Expressions match a long line window by window, which bounds the cost of each match.
const windowLength = 1200;
const windowOverlap = 300;
// The length of the shortest text that a rule can match.
const textLengthMin = 4;

function report({ part, findings }: PartScan, { kind }: Segment, rule: ScanRule, tokens: readonly ScanToken[]): void {
  const line = tokens[0]?.line ?? 1;
  const evidence = tokens.map(({ text }) => text).join(' ');
  findings.add(rule, { part, line }, evidence);
  if (kind === 'hidden' && rule.scope !== 'tagged' && rule.severity !== 'low')
    findings.add(hiddenRules.hiddenInstruction, { part, line }, evidence);
}

/** Collects findings: each rule at most once per line and part, and a bounded number in total. */
class Findings {
  readonly #byPlace = new Map<string, ScanFinding>();

  add(
    { id, severity, why }: Pick<ScanRule, 'id' | 'severity' | 'why'>,
    place: { part: string; line: number },
    evidence: string,
  ): void {
    const key = `${id} ${place.line} ${place.part}`;
    if (this.#byPlace.has(key) || this.#byPlace.size >= scanLimits.findingsMax * 4) return;
    this.#byPlace.set(key, {
      ruleId: id,
      severity,
      ...place,
      why,
      evidence: quotable(evidence, scanLimits.evidenceLengthMax),
    });
  }

  sorted(): ScanFinding[] {
    return [...this.#byPlace.values()]
      .sort((one, other) => compareSeverity(one.severity, other.severity))
      .slice(0, scanLimits.findingsMax);
  }
}
