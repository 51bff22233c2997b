/** Lists: filters in the address, as many rows as a page may weigh, and the link to the next page. */
import type { z } from 'zod';
import { HestiaError } from '../shapes/error.ts';
import { encodeCursor, filterTextSchema } from '../shapes/page.ts';
import { truncated } from '../shapes/text.ts';
import { isPeriod, periodRefusal, timeQuerySchema } from '../shapes/time.ts';
import type { PageContext } from './layout.ts';
import { html, type Markup, type Shown } from './markup.ts';
import { type Column, emptyState, tableOf, tableRow } from './parts.ts';

/** A filter: its parameter in the address, and its field in the form. It is a text unless it has choices. */
export interface Filter {
  name: string;
  label: string;
  /** An example of a text. */
  placeholder?: string;
  /** Values, each with what is shown for it. */
  choices?: Readonly<Record<string, string>>;
  /** What is shown for no choice; `any` by default. */
  none?: string;
  /** Whether its field has a line of its own. */
  isWide?: boolean;
}

type Address = Pick<PageContext, 'url'>;

/** Choices that are shown as they are. */
export function choicesOf(values: readonly string[]): Record<string, string> {
  return Object.fromEntries(values.map((value) => [value, value]));
}

/** The form of the filters, which opens the same page with them in its address. `isNeeded`: the page cannot do without them. */
export function filterForm(
  { url }: Address,
  filters: readonly Filter[],
  { button = 'Filter', isNeeded = false }: { button?: string; isNeeded?: boolean } = {},
): Markup {
  const isGiven = !isNeeded && hasAny({ url }, filters);
  return html`<form method="get" action="${url.pathname}" class="filters" role="search" aria-label="Filters">
    ${filters.map((filter) => filterField(filter, url.searchParams.get(filter.name) ?? undefined))}
    <div class="submit"><button>${button}</button>${isGiven && html` <a href="${url.pathname}">Clear</a>`}</div>
  </form>`;
}

function hasAny({ url }: Address, filters: readonly Filter[]): boolean {
  return filters.some(({ name }) => (url.searchParams.get(name) ?? '').trim() !== '');
}

function filterField({ name, label, placeholder, choices, none = 'any', isWide }: Filter, value: string | undefined) {
  // The forms of a page may have a field of the same name.
  const id = `filter-${name}`;
  const options = Object.entries(choices ?? {}).map(
    ([key, text]) => html`<option value="${key}"${key === value && html` selected`}>${text}</option>`,
  );
  const control =
    choices === undefined
      ? html`<input id="${id}" name="${name}" value="${value}" placeholder="${placeholder}">`
      : html`<select id="${id}" name="${name}"><option value="">${none}</option>${options}</select>`;
  return html`<div${isWide === true && html` class="wide"`}><label for="${id}">${label}</label>${control}</div>`;
}

/** The text of a filter; undefined if it is absent or blank. @throws HestiaError INVALID_REQUEST for one that is too long */
export function given({ url }: Address, name: string): string | undefined {
  const text = url.searchParams.get(name)?.trim();
  if (text === undefined || text === '') return undefined;
  if (filterTextSchema.safeParse(text).success) return text;
  throw refusedFilter(name, 'at most 200 characters', text);
}

/** The cursor in the address: the position after which the page begins. */
export function cursorOf({ url }: Address): string | undefined {
  return url.searchParams.get('cursor') || undefined;
}

/** The choice of a filter. @throws HestiaError INVALID_REQUEST for a value that is none of its choices */
export function givenChoice<T>(
  address: Address,
  name: string,
  schema: z.ZodType<T> & { options: readonly string[] },
): T | undefined {
  const text = given(address, name);
  if (text === undefined) return undefined;
  const parsed = schema.safeParse(text);
  if (parsed.success) return parsed.data;
  throw refusedFilter(name, `one of ${schema.options.join(', ')}`, text);
}

/** The filters of a period. */
export const periodFilters: readonly Filter[] = [
  { name: 'since', label: 'Since', placeholder: '2h or 2026-01-31' },
  { name: 'until', label: 'Until', placeholder: '1h or 2026-02-01' },
];

/** The period of {@link periodFilters}, in Unix milliseconds. @throws HestiaError INVALID_REQUEST for what is no time or no period */
export function givenPeriod(address: Address): { since: number | undefined; until: number | undefined } {
  const period = { since: givenTime(address, 'since'), until: givenTime(address, 'until') };
  if (isPeriod(period)) return period;
  throw new HestiaError('INVALID_REQUEST', `${periodRefusal.path.join()}: ${periodRefusal.error}`);
}

function givenTime(address: Address, name: string): number | undefined {
  const text = given(address, name);
  if (text === undefined) return undefined;
  const parsed = timeQuerySchema.safeParse(text);
  if (parsed.success) return parsed.data;
  throw refusedFilter(name, 'a time such as 2h, 7d or 2026-01-31', text);
}

/** The longest value that an error quotes, in characters. */
const foundMax = 50;

function refusedFilter(name: string, allowed: string, found: string): HestiaError {
  return new HestiaError('INVALID_REQUEST', `${name}: must be ${allowed}, found "${truncated(found, foundMax)}"`);
}

/** What a page shows of a list. */
export interface ListPage<Row> {
  /** The rows of the page, at most `pageSize`. */
  rows: readonly Row[];
  pageSize: number;
  /** The position of a row, after which the next page begins. */
  position: (row: Row) => string | number;
  /** What would be here and how to get it, where no filter is given. */
  empty: Shown;
  /** What the list has, such as `key`, for where a filter leaves nothing. */
  noun: string;
  filters: readonly Filter[];
  /** The name of the link to the next page. */
  more?: string;
}

/** A page of a list as a table. */
export function listTable<Row>(
  context: Address,
  { columns, ...page }: ListPage<Row> & { columns: readonly Column<Row>[] },
): Markup {
  return listOf(context, { ...page, draw: (row) => tableRow(row, columns), frame: (rows) => tableOf(rows, columns) });
}

/** A page of a list whose rows `draw` draws, in the frame of the list. */
export function listOf<Row>(
  context: Address,
  { draw, frame, ...page }: ListPage<Row> & { draw: (row: Row) => Markup; frame: (rows: readonly Markup[]) => Markup },
): Markup {
  const { rows, pageSize, position, more = 'More' } = page;
  if (rows.length === 0) return emptyList(context, page);
  const drawn = withinWeight(rows, draw);
  const last = rows[drawn.length - 1];
  const isEnd = drawn.length === rows.length && rows.length < pageSize;
  return html`${frame(drawn)}${!isEnd && last !== undefined && nextPage(context, encodeCursor(position(last)), more)}`;
}

function emptyList<Row>(address: Address, { noun, empty, filters }: ListPage<Row>): Markup {
  if (cursorOf(address) !== undefined) return emptyState(`No further ${noun}.`);
  if (!hasAny(address, filters)) return emptyState(empty);
  return emptyState(
    html`No ${noun} matches these filters. Check their spelling, or <a href="${address.url.pathname}">clear them</a>.`,
  );
}

/** The most bytes of the rows of a list: a page with all its files is at most 150 kB, whatever its texts are. */
const rowsBytesMax = 90_000;

/** The first rows, as many as a page may weigh, but at least one. */
export function withinWeight<Row>(rows: readonly Row[], draw: (row: Row) => Markup, bytesMax = rowsBytesMax): Markup[] {
  const drawn: Markup[] = [];
  let left = bytesMax;
  for (const row of rows) {
    const markup = draw(row);
    left -= Buffer.byteLength(String(markup));
    if (left < 0 && drawn.length > 0) break;
    drawn.push(markup);
  }
  return drawn;
}

/** The link to the next page of a list: this page with another cursor. */
export function nextPage({ url }: Address, cursor: string, title: string): Markup {
  const next = new URLSearchParams(url.searchParams);
  next.set('cursor', cursor);
  return html`<p class="pages"><a class="button" rel="next" href="${url.pathname}?${next.toString()}">${title}</a></p>`;
}
