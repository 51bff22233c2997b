/** Parts that pages share: tables, lists of facts, forms, times, states and long texts. */
import { isoTime } from '../shapes/time.ts';
import type { PageContext } from './layout.ts';
import { html, lines, type Markup, type Shown } from './markup.ts';

/** A column of a table. */
export interface Column<Row> {
  title: string;
  cell: (row: Row) => Shown;
  /** Whether cells are numbers, which are aligned at their end. */
  isNumber?: boolean;
  /** Whether cells are sentences, which need more room than names. */
  isText?: boolean;
}

/** A table, or what would be here and how to get it. */
export function table<Row>(rows: readonly Row[], columns: readonly Column<Row>[], empty: Shown): Markup {
  if (rows.length === 0) return emptyState(empty);
  return tableOf(
    rows.map((row) => tableRow(row, columns)),
    columns,
  );
}

/** A table of rows that {@link tableRow} drew. */
export function tableOf<Row>(rows: readonly Markup[], columns: readonly Column<Row>[]): Markup {
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Table">
    <table>
      <thead><tr>${columns.map((column) => html`<th scope="col"${classOf(column)}>${column.title}</th>`)}</tr></thead>
      <tbody>${rows}</tbody>
    </table>
  </div>`;
}

/** A row of a table. */
export function tableRow<Row>(row: Row, columns: readonly Column<Row>[]): Markup {
  return html`<tr>${columns.map((column) => html`<td${classOf(column)} data-label="${column.title}">${column.cell(row)}</td>`)}</tr>`;
}

function classOf<Row>({ isNumber, isText }: Column<Row>): Shown {
  return isNumber === true ? html` class="number"` : isText === true && html` class="text"`;
}

/** What would be here, and how to get it. */
export function emptyState(text: Shown): Markup {
  return html`<p class="empty">${text}</p>`;
}

/** A list of names and values; a value of `undefined` or `false` is left out. */
export function facts(entries: readonly (readonly [string, Shown])[]): Markup {
  const present = entries.filter(([, value]) => value !== undefined && value !== false);
  return html`<dl class="facts">${present.map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}</dl>`;
}

/** The tone of a state. */
export type Tone = 'good' | 'bad' | 'warning' | 'neutral';

/** A state as a word with a colour. */
export function badge(text: string, tone: Tone): Markup {
  return html`<span class="badge ${tone}">${text}</span>`;
}

/** The badge of an outcome. */
export function outcomeBadge(outcome: string): Markup {
  return badge(outcome, outcome === 'success' ? 'good' : outcome === 'abandoned' ? 'warning' : 'bad');
}

/** A time as how long ago it was or will be, with the exact one on hover. Nothing for `undefined`. */
export function time(timeMs: number | undefined, now: number): Markup | undefined {
  if (timeMs === undefined) return undefined;
  const iso = isoTime(timeMs);
  return html`<time datetime="${iso}" title="${iso}">${relativeTime(timeMs - now)}</time>`;
}

const units = [
  [86_400_000, 'd'],
  [3_600_000, 'h'],
  [60_000, 'min'],
  [1000, 's'],
] as const;

function relativeTime(differenceMs: number): string {
  const distance = Math.abs(differenceMs);
  const [size, unit] = units.find(([each]) => distance >= each) ?? [1000, 's'];
  const text = `${Math.floor(distance / size)} ${unit}`;
  if (distance < 1000) return 'now';
  return differenceMs < 0 ? `${text} ago` : `in ${text}`;
}

/** A duration in milliseconds as a person would say it. */
export function duration(ms: number | undefined): string | undefined {
  if (ms === undefined) return undefined;
  if (ms >= 60_000) return `${(ms / 60_000).toFixed(1)} min`;
  if (ms >= 1000) return `${(ms / 1000).toFixed(1)} s`;
  return ms >= 10 ? `${Math.round(ms)} ms` : `${ms.toFixed(1)} ms`;
}

/** A form that changes something. Its fields are in `content`, and its button has this name. */
export function actionForm(
  { formToken }: Pick<PageContext, 'formToken'>,
  { action, button, content, tone }: { action: string; button: string; content?: Shown; tone?: 'danger' | 'quiet' },
): Markup {
  return html`<form method="post" action="${action}" class="action">
    <input type="hidden" name="formToken" value="${formToken}">${content}
    <button${tone !== undefined && html` class="${tone}"`}>${button}</button>
  </form>`;
}

/** A field with its label. `input` is the control, whose id is `id`. */
export function field(id: string, label: string, input: Shown, hint?: Shown): Markup {
  return html`<div class="field">
    <label for="${id}">${label}</label>${input}${hint !== undefined && html`<p class="hint">${hint}</p>`}
  </div>`;
}

/** A figure with what it is, and what there is to say about it. */
export function tile(name: string, value: Shown, more: Shown, tone: Tone = 'neutral'): Markup {
  return html`<article class="tile ${tone}"><h2>${name}</h2><p class="value">${value}</p><p class="more">${more}</p></article>`;
}

/** The most bytes of a long text: a page with all its files is at most 150 kB, whatever its texts are. */
const textBytesMax = 16_000;

/** A text that may be long, with its line breaks: its beginning, and how much is not shown. */
export function longText(text: string): Shown {
  const shown = beginningOf(text, textBytesMax);
  if (shown.length === text.length) return lines(text);
  return html`${lines(shown)}
… ${text.length - shown.length} more characters are not shown here; the API has all of it.`;
}

/** As much of a text as weighs this many bytes as HTML. */
export function beginningOf(text: string, bytesMax: number): string {
  let shown = text.slice(0, bytesMax);
  for (let bytes = bytesOf(shown); bytes > bytesMax; bytes = bytesOf(shown))
    shown = shown.slice(0, Math.min(shown.length - 1, Math.floor((shown.length * bytesMax) / bytes)));
  return shown.length < text.length && !shown.isWellFormed() ? shown.slice(0, -1) : shown;
}

function bytesOf(text: string): number {
  return Buffer.byteLength(String(lines(text)));
}

/** The first items of a list, and how many are not shown. */
export function firstOf<Item>(items: readonly Item[], countMax: number, show: (item: Item) => Shown): Shown {
  const rest = items.length - countMax;
  const shown = items.slice(0, countMax).map(show);
  return rest > 0
    ? [...shown, html`<p class="hint">… ${rest} more are not shown here; the API has all of them.</p>`]
    : shown;
}

/** A choice among values, the first of which stands for none. */
export function choice(
  id: string,
  values: readonly string[],
  { none, selected }: { none: string; selected: string | undefined },
): Markup {
  const options = values.map(
    (value) => html`<option value="${value}"${value === selected && html` selected`}>${value}</option>`,
  );
  return html`<select id="${id}" name="${id}"><option value="">${none}</option>${options}</select>`;
}

/** The address of a tool's page. */
export function toolPath(serverId: string, toolName: string): string {
  return `/console/tools/${encodeURIComponent(serverId)}/${encodeURIComponent(toolName)}`;
}
