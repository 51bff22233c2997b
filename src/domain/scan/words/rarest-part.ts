/** The part of a text that texts without it have most seldom. */

/** The part of `length` characters with the fewest frequent letters. @throws Error if the text is shorter than that */
export function rarestPart(
  text: string,
  { length, frequent }: { length: number; frequent: ReadonlySet<string> },
): string {
  const parts = Array.from({ length: text.length - length + 1 }, (_, at) => text.slice(at, at + length));
  const frequentIn = (part: string) => [...part].filter((letter) => frequent.has(letter)).length;
  const [rarest] = parts.sort((one, other) => frequentIn(one) - frequentIn(other));
  if (rarest === undefined) throw new Error(`a text of less than ${length} characters: ${text}`);
  return rarest;
}
