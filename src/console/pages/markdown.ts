/** Markdown of a skill as HTML without HTML of its own, without images, and with links shown in full. */
import MarkdownIt from 'markdown-it';
import { printable } from '../../shapes/text.ts';
import { type Markup, trustedHtml } from '../markup.ts';

const renderer = createRenderer();

/** The HTML of a Markdown text. Control and direction-changing characters are shown as escapes. */
export function markdown(text: string): Markup {
  const visible = text.replaceAll('\t', '    ').split('\n').map(printable).join('\n');
  return trustedHtml(renderer.render(visible));
}

function createRenderer() {
  const created = new MarkdownIt({ html: false, linkify: false });
  const { escapeHtml } = created.utils;
  created.renderer.rules.image = (tokens, index) => {
    const token = tokens[index];
    return `<span class="line">[image: ${escapeHtml(token?.content ?? '')}] ${escapeHtml(String(token?.attrGet('src') ?? ''))}</span>`;
  };
  created.renderer.rules.link_open = (tokens, index) => {
    const address = String(tokens[index]?.attrGet('href') ?? '');
    return `<span class="link">[${escapeHtml(address)}] `;
  };
  created.renderer.rules.link_close = () => '</span>';
  return created;
}
