/**
 * The evaluation of search and learning on a labelled data set with a replay.
 * `npm run eval:search -- --data <directory> [--json] [--seeds <count>] [--svg <file>]` runs it on two threads and compares the
 * figures with their targets.
 */
import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { SingleBar } from 'cli-progress';
import { evalSubsets } from './search-eval-data.ts';
import { type Measured, plotOf, reportLines, summaryOf } from './search-eval-report.ts';
import type { EvalPart } from './search-eval-work.ts';

const threadsCount = 2;

const { values } = parseArgs({
  options: {
    data: { type: 'string' },
    json: { type: 'boolean', default: false },
    seeds: { type: 'string', default: '3' },
    svg: { type: 'string' },
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
    `usage: npm run eval:search -- --data <directory> [--json] [--seeds <1 to 20>] [--svg <file>]
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
  if (values.svg !== undefined) await writeFile(values.svg, plotOf(summary));
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
    ...(['static', 'words'] as const).flatMap((scoring) =>
      evalSubsets.toReversed().map((subset): EvalPart => ({ kind: 'static', subset, scoring })),
    ),
    { kind: 'times' },
    { kind: 'size' },
  ];
}

async function measureAll(all: readonly EvalPart[], bar: SingleBar): Promise<Measured[]> {
  const waiting = [...all];
  const done: Measured[] = [];
  bar.start(all.length, 0, { part: '' });
  const thread = async () => {
    for (let part = waiting.shift(); part !== undefined; part = waiting.shift()) {
      done.push({ part, result: await measure(part) });
      bar.increment({ part: part.kind });
    }
  };
  await Promise.all(Array.from({ length: threadsCount }, thread));
  bar.stop();
  return done;
}

function measure(part: EvalPart): Promise<unknown> {
  const { promise, resolve: done, reject } = Promise.withResolvers<unknown>();
  const worker = new Worker(new URL('./search-eval-work.ts', import.meta.url), { workerData: { directory, part } });
  worker.once('message', done);
  worker.once('error', reject);
  return promise;
}
