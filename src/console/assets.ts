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

const files: Readonly<Record<string, { paths: () => string[]; type: string }>> = {
  'console.css': { paths: () => [own('console.css')], type: style },
  'parts.css': { paths: () => [own('parts.css')], type: style },
  'pages.css': { paths: () => [own('pages.css')], type: style },
  'console.js': { paths: () => [own('console.js')], type: script },
  'chart.js': { paths: () => [own('chart.js')], type: script },
  'proof.js': { paths: () => [own('proof.js')], type: script },
  'icon.svg': { paths: () => [own('icon.svg')], type: 'image/svg+xml' },
  // htmx reads the page in a timer that it sets when it is loaded. An extension in a file of its own may come later.
  'htmx.js': {
    paths: () => ['htmx.min.js', 'ext/hx-sse.min.js'].map((file) => ofLibrary('htmx.org', file)),
    type: script,
  },
  'uplot.js': { paths: () => [ofLibrary('uplot', 'uPlot.iife.min.js')], type: script },
  'uplot.css': { paths: () => [ofLibrary('uplot', 'uPlot.min.css')], type: style },
};

/** The routes below `/console/assets`. They need no session. */
export function assetRoutes(): Hono {
  const router = new Hono();
  router.get('/console/assets/:file', async (c) => {
    const name = c.req.param('file');
    const file = Object.hasOwn(files, name) ? files[name] : undefined;
    if (file === undefined) throw notFound('page');
    const parts = await Promise.all(file.paths().map((path) => readFile(path, 'utf8')));
    return c.body(parts.join(';\n'), 200, { 'content-type': file.type, 'cache-control': 'max-age=3600' });
  });
  return router;
}
