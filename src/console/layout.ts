/** The frame of every page of the console: head, navigation, and what the page shows. */
import type { Caller, Role } from '../shapes/access.ts';
import { html, type Markup, type Shown } from './markup.ts';

/** What a page is shown with. */
export interface PageContext {
  caller: Caller;
  /** Sent with each form of the session. */
  formToken: string;
  /** The address of the page. */
  url: URL;
  /** Unix milliseconds. */
  now: number;
}

/** A page. */
export interface Page {
  title: string;
  /** One sentence on what the page answers. */
  about?: Shown;
  content: Shown;
  /** Scripts beside the common ones, by file name. */
  scripts?: readonly string[];
}

const home = { path: '/', title: 'Home' };
/** The pages of the navigation, and the roles that may open them; all roles if undefined. */
const navigation: readonly { path: string; title: string; roles?: readonly Role[] }[] = [
  home,
  { path: '/console/servers', title: 'Servers' },
  { path: '/console/tools', title: 'Tools' },
  { path: '/console/skills', title: 'Skills' },
  { path: '/console/activity', title: 'Activity', roles: ['auditor', 'operator'] },
  { path: '/console/quarantine', title: 'Quarantine', roles: ['auditor', 'operator'] },
  { path: '/console/search-quality', title: 'Search quality', roles: ['auditor', 'operator'] },
  { path: '/console/keys', title: 'Keys', roles: ['operator'] },
  { path: '/console/connect', title: 'Connect' },
  { path: '/console/scheduler', title: 'Scheduler' },
];

/** The HTML document of a page. */
export function pageDocument({ title, about, content, scripts = [] }: Page, context: PageContext): Markup {
  const { caller, formToken, url } = context;
  const links = navigation.filter(({ roles }) => roles === undefined || roles.includes(caller.role));
  return document(
    title,
    html`<header>
        <a class="brand" href="/">Hestia</a>
        <nav aria-label="Pages">
          ${links.map(({ path, title: name }) => html`<a href="${path}"${isOpen(path, url) && html` aria-current="page"`}>${name}</a>`)}
        </nav>
        <form class="signed-in" method="post" action="/console/sign-out">
          <input type="hidden" name="formToken" value="${formToken}">
          <span title="role ${caller.role}, namespace ${caller.namespace}">${caller.agentId}</span>
          <button class="quiet">Sign out</button>
        </form>
      </header>
      <main id="main" tabindex="-1">
        <h1>${title}</h1>
        ${about !== undefined && html`<p class="about">${about}</p>`} ${content}
      </main>`,
    scripts,
  );
}

/** A document without a session: the page to sign in, or an error. */
export function plainDocument(title: string, content: Shown): Markup {
  return document(title, html`<main id="main" class="plain" tabindex="-1"><h1>${title}</h1>${content}</main>`, []);
}

const commonScripts = ['console.js'];

function document(title: string, body: Markup, scripts: readonly string[]): Markup {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light dark">
        ${scripts.includes('htmx.js') && html`<meta name="htmx-config" content="history:false">`}
        <title>${title} · Hestia</title>
        <link rel="icon" href="/console/assets/icon.svg" type="image/svg+xml">
        <link rel="stylesheet" href="/console/assets/parts.css">
        <link rel="stylesheet" href="/console/assets/pages.css">
        <link rel="stylesheet" href="/console/assets/console.css">
        ${scripts.includes('uplot.js') && html`<link rel="stylesheet" href="/console/assets/uplot.css">`}
        ${[...commonScripts, ...scripts].map((file) => html`<script src="/console/assets/${file}" defer></script>`)}
      </head>
      <body>
        <a class="skip" href="#main">Skip to the content</a>
        ${body}
      </body>
    </html>`;
}

/** The page of the navigation that an address belongs to; the home page if it belongs to none. */
export function sectionOf(url: URL): { path: string; title: string } {
  return navigation.find(({ path }) => isOpen(path, url)) ?? home;
}

function isOpen(path: string, { pathname }: URL): boolean {
  return path === '/' ? pathname === '/' : pathname === path || pathname.startsWith(`${path}/`);
}
