/** A page of a list: as many rows as a page may weigh, each of them on one page. */
import { expect, test } from 'vitest';
import { listTable } from '../../src/console/list.ts';
import { decodeNumberCursor } from '../../src/shapes/page.ts';

const pageSize = 50;
const all = Array.from({ length: 120 }, (_, index) => ({ number: index + 1, text: '"'.repeat(2000) }));

function pageAfter(after: number) {
  const rows = all.slice(after, after + pageSize);
  const columns = [{ title: 'Text', cell: ({ number, text }: (typeof all)[number]) => `row ${number}; ${text}` }];
  const context = { url: new URL('http://hub.test/console/rows?query=x') };
  const position = ({ number }: (typeof all)[number]) => number;
  const list = { rows, pageSize, position, columns, empty: 'None.', noun: 'row', filters: [] };
  const markup = String(listTable(context, list));
  const cursor = /href="\/console\/rows\?query=x&amp;cursor=([^"]+)"/.exec(markup)?.[1];
  return { markup, next: decodeNumberCursor(cursor) };
}

test('rows of long texts are spread over further pages, none of which is too heavy, and none is left out', () => {
  const found: number[] = [];
  let pages = 0;
  for (let after: number | undefined = 0; after !== undefined; pages += 1) {
    const { markup, next } = pageAfter(after);
    expect(Buffer.byteLength(markup)).toBeLessThan(95_000);
    found.push(...[...markup.matchAll(/row (\d+);/g)].map(([, number]) => Number(number)));
    after = next;
  }
  expect(pages).toBeGreaterThan(10);
  expect(found).toEqual(all.map(({ number }) => number));
});
