/** Runs the commands of the documents, and writes what they print into the samples that differ: `npm run samples`. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Block, repositoryFolder } from '../support/documents/block.ts';
import { isSampleOf, withSamples } from '../support/documents/sample.ts';
import { runTour } from '../support/documents/tour.ts';
import { tours } from '../support/documents/tours.ts';

/** Writes the samples of one document. */
function writeSamples(path: string, samples: ReadonlyMap<number, string>): void {
  const file = join(repositoryFolder, path);
  writeFileSync(file, withSamples(readFileSync(file, 'utf8'), samples));
  console.info(`${path}: ${samples.size} samples written`);
}

for (const [name, tour] of Object.entries(tours)) {
  console.info(`${name}: running`);
  const changed = new Map<string, Map<number, string>>();
  const change = ({ path, line }: Block, text: string) => {
    changed.set(path, (changed.get(path) ?? new Map()).set(line, text));
  };
  const { ran, lines } = await runTour(tour);
  for (const { block, sample, printed } of ran) {
    if (sample !== undefined && !isSampleOf(sample.text, printed.output)) change(sample, printed.output);
    if (sample === undefined && printed.exitCode !== 0) {
      console.error(`${block.path}:${block.line}: exit code ${printed.exitCode}\n${printed.output}`);
      process.exitCode = 1;
    }
  }
  for (const { sample, found } of lines) {
    for (const [index, line] of found.entries()) {
      if (line !== undefined) continue;
      console.error(`${sample.path}:${sample.line + 1 + index}: the terminal has no such line; write another`);
      process.exitCode = 1;
    }
  }
  for (const [path, samples] of changed) writeSamples(path, samples);
}
