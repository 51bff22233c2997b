/**
 * Writes the generated files; with `--check` compares them with what is on disk instead, names each that differs and
 * exits with 1.
 */
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { generatedFiles, outdatedFiles, writeFiles } from './generated-file.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const { values } = parseArgs({ options: { check: { type: 'boolean', default: false } } });

if (values.check) {
  for (const path of await outdatedFiles(generatedFiles, root)) {
    console.error(`${path}: differs from what the code says; run npm run generate`);
    process.exitCode = 1;
  }
} else {
  for (const path of await writeFiles(generatedFiles, root)) console.info(`${path}: written`);
}
