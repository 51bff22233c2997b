/** Cursor paging of lists: page size, page, and cursors that are opaque to callers. */
import { z } from 'zod';
import { HestiaError } from './error.ts';

/** `limit` and `cursor` of every list over HTTP. */
export const pageQuerySchema = z.object({
  limit: z.coerce.number().int().min(1).max(200).default(50).meta({ description: 'How many at most.' }),
  cursor: z.string().max(512).optional().meta({ description: 'The `nextCursor` of the previous page.' }),
});

/** The text that what a filter lets through contains. */
export const filterTextSchema = z.string().max(200);

/** A page of a list. `nextCursor` is absent on the last page. */
export function pageSchema<Item extends z.ZodType>(item: Item) {
  return z.object({ items: z.array(item), nextCursor: z.string().optional() });
}

/** The opaque cursor of a position. */
export function encodeCursor(position: string | number): string {
  return Buffer.from(String(position), 'utf8').toString('base64url');
}

/** The position of a cursor, and `undefined` for no cursor. @throws HestiaError INVALID_REQUEST for one that is no cursor */
export function decodeCursor(cursor: string | undefined): string | undefined {
  if (cursor === undefined) return undefined;
  const position = Buffer.from(cursor, 'base64url').toString('utf8');
  if (encodeCursor(position) !== cursor) throw foreignCursor();
  return position;
}

/** The position in a numbered list. @throws HestiaError INVALID_REQUEST for a cursor that the hub did not issue */
export function decodeNumberCursor(cursor: string | undefined): number | undefined {
  const position = decodeCursor(cursor);
  if (position === undefined) return undefined;
  if (!/^\d{1,15}$/.test(position)) throw foreignCursor();
  return Number(position);
}

/** A page of the views of `items`, with the cursor of the next page if this one is full. */
export function pageOf<Item, View>(
  items: readonly Item[],
  limit: number,
  { position, view }: { position: (item: Item) => string | number; view: (item: Item) => View },
): { items: View[]; nextCursor?: string } {
  const last = items.at(-1);
  return {
    items: items.map(view),
    ...(last !== undefined && items.length === limit && { nextCursor: encodeCursor(position(last)) }),
  };
}

function foreignCursor(): HestiaError {
  return new HestiaError('INVALID_REQUEST', 'cursor: must be the nextCursor of the page before');
}
