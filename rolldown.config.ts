/**
 * Builds the JavaScript of the npm package and of the image in `dist`. A checkout needs no build, but Node.js strips no types
 * below `node_modules`, and a few files load faster than a thousand. The sources stay beside it, for the files that are read.
 *
 *     npm run build                  the npm package: its dependencies stay packages, which npm installs and updates
 *     npm run build -- --environment IMAGE   the image: dependencies too, so that it starts faster
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { defineConfig, type Plugin } from 'rolldown';
import packageJson from './package.json' with { type: 'json' };

const root = import.meta.dirname;
/** The address of a thread or process to start, as the sources write it. */
const scriptUrl = /new URL\('(\.\/[a-z-]+)\.ts', import\.meta\.url\)/g;

/** Gives each script that the sources start a file of its own, and lets the address of each module be that of its source. */
function sourceUrls(): Plugin {
  return {
    name: 'source-urls',
    transform(code, id) {
      if (!code.includes('import.meta.url') || !id.startsWith(resolve(root, 'src'))) return;
      const scripts = code.replace(scriptUrl, (_, script: string) => {
        const fileName = `${basename(script)}.js`;
        this.emitFile({ type: 'chunk', id: resolve(dirname(id), `${script}.ts`), fileName });
        return `new URL('./${fileName}', builtUrl)`;
      });
      const sourceUrl = `new URL('../${relative(root, id)}', import.meta.url).href`;
      return scripts.replaceAll('import.meta.url', sourceUrl).replaceAll('builtUrl', 'import.meta.url');
    },
  };
}

/** Adds the files of Swagger UI. Its package depends on one that reports installations, so it is no dependency of Hestia. */
function swaggerUi(): Plugin {
  const folder = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));
  const names = ['swagger-ui.css', 'swagger-ui-bundle.js', 'favicon-32x32.png', 'LICENSE', 'NOTICE'];
  return {
    name: 'swagger-ui',
    generateBundle() {
      for (const name of names)
        this.emitFile({ type: 'asset', fileName: `swagger-ui/${name}`, source: readFileSync(join(folder, name)) });
    },
  };
}

/** The build in CommonJS of this package requires modules by a name that only exists when it runs. */
const neverBundled = ['jsonc-parser'];
const external = process.env.IMAGE ? neverBundled : Object.keys(packageJson.dependencies);

export default defineConfig({
  input: { hestia: 'src/hestia.ts' },
  platform: 'node',
  external: (id) => id.startsWith('node:') || external.some((name) => id === name || id.startsWith(`${name}/`)),
  plugins: [sourceUrls(), swaggerUi()],
  output: { dir: 'dist', cleanDir: true, chunkFileNames: '[name]-[hash].js', hashCharacters: 'hex' },
});
