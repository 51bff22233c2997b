/** Two versions of a skill side by side: the changed lines of SKILL.md, and the files that differ. */
import { structuredPatch } from 'diff';
import type { SkillDocument, SkillVersion } from '../../shapes/skill.ts';
import { html, type Markup } from '../markup.ts';
import { firstOf, longText } from '../parts.ts';

/** How long a comparison may take, in milliseconds: the hub does nothing else meanwhile. */
const comparisonMsMax = 50;
/** The most bytes of the lines that are shown, and the most files that are named: a page is at most 150 kB. */
const linesBytesMax = 90_000;
const filesMax = 100;

/** A line on each side; undefined where the other side has a line that this one lacks. */
interface Pair {
  before: string | undefined;
  after: string | undefined;
}

/** What differs between two versions. */
export function skillComparison(before: SkillVersion, after: SkillVersion): Markup {
  const files = changedFiles(before.document, after.document);
  const bounds = { context: 3, timeout: comparisonMsMax };
  const sources = [before.document.source, after.document.source] as const;
  const patch = structuredPatch('before', 'after', ...sources, undefined, undefined, bounds);
  const heads = [`− Version ${before.version}`, `+ Version ${after.version}`] as const;
  if (patch === undefined)
    return html`<p class="notice warning">The texts differ in too many lines to compare them here.</p>
      <div class="halves"><div><h2>${heads[0]}</h2><pre>${longText(sources[0])}</pre></div><div><h2>${heads[1]}</h2><pre>${longText(sources[1])}</pre></div></div>
      ${files}`;
  if (patch.hunks.length === 0) return html`<p>SKILL.md is the same.</p>${files}`;
  let left = linesBytesMax;
  const hunks = patch.hunks.map(({ lines }) => pairsOf(lines).map(drawn).filter(fits));
  function fits(row: Markup): boolean {
    left -= Buffer.byteLength(String(row));
    return left >= 0;
  }
  return html`<div class="comparison" role="region" aria-label="Differences" tabindex="0">
      <strong>${heads[0]}</strong><strong>${heads[1]}</strong>
      ${hunks.map((rows, at) => html`${at > 0 && html`<span class="gap">…</span>`}${rows}`)}
    </div>${left < 0 && html`<p class="hint">Further differences are not shown here; the API has both versions.</p>`}
    ${files}`;
}

/** The lines of a hunk in pairs: unchanged ones are on both sides, removed ones beside the ones added in their place. */
function pairsOf(lines: readonly string[]): Pair[] {
  const pairs: Pair[] = [];
  let removed: string[] = [];
  let added: string[] = [];
  const flush = () => {
    for (let at = 0; at < Math.max(removed.length, added.length); at += 1)
      pairs.push({ before: removed[at], after: added[at] });
    [removed, added] = [[], []];
  };
  for (const line of lines) {
    if (line.startsWith('-')) removed.push(line);
    else if (line.startsWith('+')) added.push(line);
    // A note that a file ends without a line feed begins with a backslash.
    else if (line.startsWith(' ')) {
      flush();
      pairs.push({ before: line, after: line });
    }
  }
  flush();
  return pairs;
}

/** A pair as two cells. A reader who hears the page hears an unchanged line once. */
function drawn({ before, after }: Pair): Markup {
  if (before === after)
    return html`<span class="same">${before}</span><span class="same" aria-hidden="true">${after}</span>`;
  const side = (line: string | undefined, kind: string) =>
    line === undefined ? html`<span class="none"></span>` : html`<span class="${kind}">${line}</span>`;
  return html`${side(before, 'removed')}${side(after, 'added')}`;
}

function changedFiles(before: SkillDocument, after: SkillDocument): Markup {
  const contents = ({ files }: SkillDocument) => new Map(files.map(({ path, content }) => [path, content]));
  const [old, current] = [contents(before), contents(after)];
  const paths = [...new Set([...old.keys(), ...current.keys()])]
    .filter((path) => old.get(path) !== current.get(path))
    .sort();
  const state = (path: string) => (old.has(path) ? (current.has(path) ? 'changed' : 'removed') : 'added');
  return html`<ul>${firstOf(paths, filesMax, (path) => html`<li>${path}: ${state(path)}</li>`)}</ul>`;
}
