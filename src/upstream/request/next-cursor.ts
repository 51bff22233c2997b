/** The cursor of the next page of a list, as servers send it. */

/**
 * The cursor to continue with; undefined at the end. Some servers end a list with an empty cursor or null, broken ones repeat
 * an earlier one for ever, and some count their pages with numbers. `seen` collects the cursors of the list.
 */
export function nextCursor(sent: unknown, seen: Set<string>): string | undefined {
  const cursor = typeof sent === 'number' ? String(sent) : sent;
  if (typeof cursor !== 'string' || cursor === '' || seen.has(cursor)) return undefined;
  seen.add(cursor);
  return cursor;
}
