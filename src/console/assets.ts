/** The files of the console: its style, its scripts, and those of libraries. All are served by the hub. */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Hono } from 'hono';
import { notFound } from '../shapes/error.ts';

const script = 'text/javascript; charset=utf-8';
const style = 'text/css; charset=utf-8';

const resolve = createRequire(import.meta.url).resolve;
const own = (file: string) => fileURLToPath(new URL(`./assets/${file}`, import.meta.url));
const ofLibrary = (entry: string, file: string) => join(dirname(resolve(entry)), file);

const files: Readonly<Record<string, { path: () => string; type: string }>> = {
  'console.css': { path: () => own('console.css'), type: style },
  'parts.css': { path: () => own('parts.css'), type: style },
  'pages.css': { path: () => own('pages.css'), type: style },
  'console.js': { path: () => own('console.js'), type: script },
  'chart.js': { path: () => own('chart.js'), type: script },
  'proof.js': { path: () => own('proof.js'), type: script },
  'icon.svg': { path: () => own('icon.svg'), type: 'image/svg+xml' },
  'htmx.min.js': { path: () => ofLibrary('htmx.org', 'htmx.min.js'), type: script },
  'hx-sse.min.js': { path: () => ofLibrary('htmx.org', 'ext/hx-sse.min.js'), type: script },
  'uplot.js': { path: () => ofLibrary('uplot', 'uPlot.iife.min.js'), type: script },
  'uplot.css': { path: () => ofLibrary('uplot', 'uPlot.min.css'), type: style },
};

/** The routes below `/console/assets`. They need no session. */
export function assetRoutes(): Hono {
  const router = new Hono();
  router.get('/console/assets/:file', async (c) => {
    const name = c.req.param('file');
    const file = Object.hasOwn(files, name) ? files[name] : undefined;
    if (file === undefined) throw notFound('page');
    const content = await readFile(file.path());
    return c.body(new Uint8Array(content), 200, { 'content-type': file.type, 'cache-control': 'max-age=3600' });
  });
  return router;
}
