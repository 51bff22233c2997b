/** The page `/docs`: Swagger UI for `/openapi.json`, served by the hub to work offline. */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Hono } from 'hono';
import { notFound } from '../../shapes/error.ts';

const assets: Record<string, string> = {
  'swagger-ui.css': 'text/css; charset=utf-8',
  'swagger-ui-bundle.js': 'text/javascript; charset=utf-8',
  'favicon-32x32.png': 'image/png',
};

const page = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Hestia API</title>
<link rel="stylesheet" href="/docs/swagger-ui.css">
<link rel="icon" href="/docs/favicon-32x32.png">
</head>
<body>
<div id="docs"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
`;

const start =
  "SwaggerUIBundle({ url: location.origin + '/openapi.json', dom_id: '#docs', deepLinking: true, tryItOutEnabled: true });\n";

// Swagger UI sets inline styles and loads its icons from data URLs. It loads nothing from other hosts.
const contentSecurityPolicy =
  "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; frame-ancestors 'none'";

/** The package in a checkout. What is built has copies of its files. */
function assetsFolder(): string {
  try {
    return dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));
  } catch {
    return fileURLToPath(new URL('../../../dist/swagger-ui/', import.meta.url));
  }
}

/** The page and its files. */
export function docsRoutes(): Hono {
  const folder = assetsFolder();
  const router = new Hono();
  router.get('/docs', (c) => c.html(page, 200, { 'content-security-policy': contentSecurityPolicy }));
  router.get('/docs/start.js', (c) => c.body(start, 200, { 'content-type': 'text/javascript; charset=utf-8' }));
  router.get('/docs/:file', async (c) => {
    const file = c.req.param('file');
    const type = Object.hasOwn(assets, file) ? assets[file] : undefined;
    if (type === undefined) throw notFound('page');
    return c.body(await readFile(join(folder, file)), 200, { 'content-type': type, 'cache-control': 'max-age=86400' });
  });
  return router;
}
