/** One page of a list at an MCP endpoint. */
import { HestiaError } from '../../shapes/error.ts';

/** A page. `nextCursor` is undefined on the last one. */
export interface ListPage<Item> {
  items: Item[];
  nextCursor: string | undefined;
}

/** Entries of one page. */
const itemsPerPage = 250;

/**
 * The page after the entry that the cursor names, which may be gone meanwhile.
 * @throws HestiaError INVALID_ARGUMENTS for a cursor of another list
 */
export function listPage<Item>(
  items: readonly Item[],
  { nameOf, cursor }: { nameOf: (item: Item) => string; cursor: string | undefined },
): ListPage<Item> {
  const text = cursor === undefined ? 'all' : Buffer.from(cursor, 'base64url').toString();
  if (text !== 'all' && !text.startsWith(afterPrefix)) {
    throw new HestiaError('INVALID_ARGUMENTS', 'the cursor is not one of this list');
  }
  const after = text === 'all' ? undefined : text.slice(afterPrefix.length);
  const at = after === undefined ? -1 : items.findIndex((item) => nameOf(item) === after);
  const isGone = after !== undefined && at === -1;
  const left = isGone ? items.filter((item) => nameOf(item) > after) : items.slice(at + 1);
  const page = left.slice(0, itemsPerPage);
  const last = left.length > itemsPerPage ? page.at(-1) : undefined;
  return { items: page, nextCursor: last && Buffer.from(`${afterPrefix}${nameOf(last)}`).toString('base64url') };
}

const afterPrefix = 'after:';
