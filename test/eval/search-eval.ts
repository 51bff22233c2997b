/**
 * The evaluation of search and learning on a labelled data set with a replay.
 * `npm run eval:search -- --data <directory> [--json] [--seeds <count>] [--parts <file>] [--write]` runs it on two threads and
 * compares the figures with their targets. Parts that `--parts` has are not measured again.
 */
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { isDeepStrictEqual, parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { SingleBar } from 'cli-progress';
import type { EvalScoring } from './eval-index.ts';
import { evalSubsets } from './search-eval-data.ts';
import { type Measured, measuredSchema, reportLines, summaryOf } from './search-eval-report.ts';
import type { EvalPart } from './search-eval-work.ts';

const threadsCount = 2;

const { values } = parseArgs({
  options: {
    data: { type: 'string' },
    json: { type: 'boolean', default: false },
    seeds: { type: 'string', default: '3' },
    parts: { type: 'string' },
    gate: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
    fit: { type: 'boolean', default: false },
    url: { type: 'string' },
    model: { type: 'string', default: '' },
  },
});
const seeds = Number(values.seeds);
if ((values.data === undefined && !values.gate) || !Number.isInteger(seeds) || seeds < 1 || seeds > 20) {
  process.stderr.write(
    `usage: npm run eval:search -- --data <directory> [--json] [--seeds <1 to 20>] [--parts <file>] [--write]
                          [--url <embeddings service> --model <model>]
       npm run eval:search -- --gate [--data <directory>] [--write]
       npm run eval:search -- --fit --data <directory> [--url <embeddings service> --model <model>]
`,
  );
  process.exit(2);
}
const directory = resolve(values.data ?? '');
const progress = (line: string) => process.stderr.write(`${line}\n`);

if (values.gate) await runGate();
else if (values.fit) await runFit();
else await runAll();

async function runAll(): Promise<void> {
  const bar = new SingleBar({ stream: process.stderr, format: '{bar} {value}/{total} {part}', clearOnComplete: true });
  const summary = summaryOf(await measureAll(parts(seeds), bar));
  const figures = new URL('../../docs/search-figures.json', import.meta.url);
  if (values.write) await writeFile(figures, `${JSON.stringify(summary, null, 2)}\n`);
  process.stdout.write(values.json ? `${JSON.stringify(summary, null, 2)}\n` : `${reportLines(summary).join('\n')}\n`);
}

/** Compares this checkout with the committed figures; exits with 1 where one has fallen. */
async function runGate(): Promise<void> {
  const { gated, measureGate, writeBaseline } = await import('./search-gate.ts');
  const figures = await measureGate(values.data === undefined ? undefined : directory, progress);
  if (values.write) writeBaseline(figures);
  for (const { name, value, error, baseline, hasFallen } of gated(figures)) {
    const before = baseline === undefined ? 'new' : `was ${baseline}`;
    process.stdout.write(
      `${hasFallen ? 'FALLEN ' : 'ok     '}${name.padEnd(48)} ${value.toFixed(3)} ± ${error.toFixed(3)}  ${before}\n`,
    );
    if (hasFallen) process.exitCode = 1;
  }
}

/** Compares constants of the joint score: fitted on half of the queries, reported on the other half. */
async function runFit(): Promise<void> {
  const { compareConstants, fittedModel } = await import('./hybrid-fit.ts');
  const fitted = fittedModel(values.url, values.model);
  for (const line of await compareConstants(directory, fitted, progress)) process.stdout.write(`${line}\n`);
}

/** The parts, the longest first, so that the threads finish at about the same time. */
function parts(count: number): EvalPart[] {
  const each = Array.from({ length: count }, (_, at) => at);
  return [
    ...each.map((at): EvalPart => ({ kind: 'stream', seed: 21 + at })),
    ...each.map((at): EvalPart => ({ kind: 'stream without learning', seed: 21 + at })),
    ...each.map((at): EvalPart => ({ kind: 'lift', seed: 3 + at })),
    ...each.flatMap((at): EvalPart[] => [
      { kind: 'poison', seed: 31 + at, mode: 'boost', principals: 1 },
      { kind: 'poison', seed: 31 + at, mode: 'boost', principals: 2 },
      { kind: 'poison', seed: 31 + at, mode: 'boost', principals: 3 },
      { kind: 'poison', seed: 31 + at, mode: 'errors', principals: 1 },
    ]),
    ...scorings().flatMap((scoring) =>
      evalSubsets.toReversed().map((subset): EvalPart => ({ kind: 'static', subset, scoring })),
    ),
    { kind: 'times' },
    { kind: 'size' },
  ];
}

function scorings(): EvalScoring[] {
  const { url, model } = values;
  return ['static', ...(url === undefined ? [] : [{ url, model }]), 'words'];
}

async function measureAll(all: readonly EvalPart[], bar: SingleBar): Promise<Measured[]> {
  const done = finishedParts();
  const waiting = all.filter((part) => !done.some((one) => isDeepStrictEqual(one.part, part)));
  bar.start(all.length, all.length - waiting.length, { part: '' });
  const thread = async () => {
    for (let part = waiting.shift(); part !== undefined; part = waiting.shift()) {
      const measured = { part, result: await measure(part) };
      done.push(measured);
      if (values.parts !== undefined) appendFileSync(values.parts, `${JSON.stringify(measured)}\n`);
      bar.increment({ part: part.kind });
    }
  };
  await Promise.all(Array.from({ length: threadsCount }, thread));
  bar.stop();
  return done;
}

/** The parts of an earlier run, one a line. */
function finishedParts(): Measured[] {
  if (values.parts === undefined || !existsSync(values.parts)) return [];
  const lines = readFileSync(values.parts, 'utf8').split('\n');
  return lines.filter((line) => line !== '').map((line) => measuredSchema.parse(JSON.parse(line)));
}

function measure(part: EvalPart): Promise<unknown> {
  const { promise, resolve: done, reject } = Promise.withResolvers<unknown>();
  const worker = new Worker(new URL('./search-eval-work.ts', import.meta.url), { workerData: { directory, part } });
  worker.once('message', done);
  worker.once('error', reject);
  return promise;
}
