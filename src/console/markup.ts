/**
 * HTML templates of the console: they escape, and show control and direction-changing characters.
 * What an agent or an upstream server writes is therefore only ever read.
 */
import { html as escapingHtml, raw } from 'hono/html';
import { printable } from '../shapes/text.ts';

/** Escaped HTML. */
export type Markup = ReturnType<typeof escapingHtml>;

/** What a template can show: text is escaped, markup is not, lists are joined, and nothing is shown for `undefined` or `false`. */
export type Shown = string | number | Markup | undefined | false | readonly Shown[];

/** A template of HTML. */
export function html(strings: TemplateStringsArray, ...values: readonly Shown[]): Markup {
  return escapingHtml(strings, ...values.map(visible));
}

function visible(value: Shown): unknown {
  if (Array.isArray(value)) return value.map(visible);
  if (value === undefined || value === false) return '';
  return typeof value === 'string' ? printable(value) : value;
}

/** Text with its line breaks, for `<pre>`. */
export function lines(text: string): Markup {
  const shown = text.split('\n').map(printable).join('\n');
  return escapingHtml`${shown}`;
}

/** HTML that was made safe elsewhere. */
export function trustedHtml(text: string): Markup {
  return raw(text);
}
