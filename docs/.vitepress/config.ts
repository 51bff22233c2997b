/** The documents as a site: `npm run docs` builds it into `artifacts/docs`. Search works offline, and nothing is loaded from elsewhere. */
import { existsSync } from 'node:fs';
import { posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { defineConfig, type MarkdownOptions } from 'vitepress';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Pages of the repository outside `docs/`, which the site has as well. */
const outside: Readonly<Record<string, string>> = {
  'README.md': 'index.md',
  'ARCHITECTURE.md': 'architecture.md',
  'CHANGELOG.md': 'changelog.md',
  'SECURITY.md': 'reporting.md',
  'grafana/runbook.md': 'runbook.md',
};

/** The page of the site that a file of the repository is, or undefined if it is none. */
function pageOf(file: string): string | undefined {
  const page = outside[file] ?? (file.startsWith('docs/') ? file.slice('docs/'.length) : undefined);
  if (page === undefined || !page.endsWith('.md')) return undefined;
  return `/${page.replace(/(?:^index)?\.md$/, '')}`;
}

/** Lets links to files of the repository lead to their pages. Files that are no page, such as sources, are not linked. */
function linkPages(markdown: Parameters<NonNullable<MarkdownOptions['config']>>[0]): void {
  markdown.core.ruler.push('repository-links', ({ tokens, env }) => {
    let isFile = false;
    for (const token of tokens.flatMap(({ children }) => children ?? [])) {
      if (token.type === 'link_close' && isFile) token.tag = 'span';
      if (token.type !== 'link_open') continue;
      isFile = false;
      const href = token.attrGet('href');
      if (href === null || /^(?:[a-z]+:|#|\/)/.test(href)) continue;
      const [target = '', anchor] = href.split('#');
      const source = posix.relative(root, env.realPath ?? env.path);
      const file = posix.join(posix.dirname(source), target);
      const page = pageOf(file);
      isFile = page === undefined && !file.startsWith('docs/') && existsSync(posix.join(root, file));
      if (isFile) {
        token.tag = 'span';
        token.attrs = [];
      } else if (page !== undefined) {
        token.attrSet('href', anchor === undefined ? page : `${page}#${anchor}`);
      }
    }
  });
}

export default defineConfig({
  title: 'Hestia',
  description: 'An MCP hub that can be watched',
  srcDir: '..',
  srcExclude: [
    '{node_modules,skills,test,artifacts,data,dist,models,chart}/**',
    '.github/**',
    'CODE_OF_CONDUCT.md',
    'CONTRIBUTING.md',
  ],
  outDir: '../artifacts/docs',
  cacheDir: '../node_modules/.cache/vitepress',
  cleanUrls: true,
  rewrites: { ...outside, 'docs/:page*': ':page*' },
  // Angle brackets in the text are placeholders, not elements.
  markdown: { html: false, config: linkPages },
  themeConfig: {
    search: { provider: 'local' },
    outline: [2, 3],
    sidebar: [
      {
        text: 'Start',
        items: [
          { text: 'What Hestia is', link: '/' },
          { text: 'Ten minutes', link: '/start' },
          {
            text: 'Connect your client',
            link: '/clients',
            collapsed: true,
            items: [
              { text: 'Claude Code', link: '/clients/claude-code' },
              { text: 'Claude Desktop', link: '/clients/claude-desktop' },
              { text: 'VS Code', link: '/clients/vs-code' },
              { text: 'Cursor', link: '/clients/cursor' },
              { text: 'Windsurf', link: '/clients/windsurf' },
              { text: 'Codex', link: '/clients/codex' },
              { text: 'Gemini CLI', link: '/clients/gemini-cli' },
            ],
          },
          { text: 'Connect servers', link: '/servers' },
          { text: 'Servers with a login', link: '/logins' },
          { text: 'Skills', link: '/skills' },
          { text: 'Keys and access', link: '/keys' },
        ],
      },
      {
        text: 'Observe and prove',
        items: [
          { text: 'Observe', link: '/observe' },
          { text: 'The console', link: '/console' },
          { text: 'From an alert to its cause', link: '/alert-to-cause' },
          { text: 'Runbook', link: '/runbook' },
          { text: 'Prove to an auditor', link: '/audit' },
        ],
      },
      {
        text: 'Operate',
        items: [
          { text: 'Install and operate', link: '/operate' },
          { text: 'Backup and restore', link: '/backup' },
          { text: 'Security', link: '/security' },
          { text: 'The content scan', link: '/content-scan' },
          { text: 'Performance', link: '/performance' },
        ],
      },
      {
        text: 'Reference',
        items: [
          { text: 'Configuration', link: '/configuration' },
          { text: 'Command line', link: '/command-line' },
          { text: 'All names', link: '/reference' },
          { text: 'Conformance', link: '/conformance' },
          { text: 'Changelog', link: '/changelog' },
        ],
      },
      {
        text: 'How it works',
        items: [
          { text: 'Architecture', link: '/architecture' },
          { text: 'Search', link: '/search' },
          { text: 'Search by meaning', link: '/search-by-meaning' },
          { text: 'Decisions', link: '/decisions/README' },
        ],
      },
    ],
  },
});
