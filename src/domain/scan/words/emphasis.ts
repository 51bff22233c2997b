/** Emphasis marks of Markdown, which are no part of words. Pure. */

/** A text in lower case without its emphasis marks: one inside a word would split it and hide it from the rules. */
export function withoutEmphasis(text: string): string {
  const lower = text.toLowerCase();
  return lower.includes('*') || lower.includes('__') ? lower.replaceAll(/\*{1,3}|__/g, '') : lower;
}
