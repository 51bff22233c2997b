/**
 * The start time until `/readyz` answers, and idle memory, compared with a minimal service. The hub starts as the image has it,
 * and from a checkout; both use a compile cache. The minimal service has telemetry too, and is started without and with one.
 */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePort, type HubProcess, residentMiB, startHubProcess } from '../../support/hub/hub-process.ts';
import { layOutImage } from '../../support/programs/image-files.ts';
import { benchFile, startBenchScript } from '../bench-process.ts';
import { type Finding, figureFinding, withVerdict } from '../findings.ts';
import { quantile } from '../paired.ts';
import type { Suite } from '../suite.ts';

/** A process to start. */
interface Start {
  name: string;
  runs: 'checkout' | 'image' | 'empty';
  keepsCode: boolean;
}

const empty: Start = { name: 'an empty process', runs: 'empty', keepsCode: false };
const twin: Start = { ...empty, name: 'twin' };
const emptyKept: Start = { name: 'an empty process, its code kept as well', runs: 'empty', keepsCode: true };
const image: Start = { name: 'the hub of the image', runs: 'image', keepsCode: true };
const hub: Start = { name: 'the hub of a checkout', runs: 'checkout', keepsCode: true };
const hubFirst: Start = { name: 'the hub of a checkout for the first time', runs: 'checkout', keepsCode: false };
const starts = [empty, twin, emptyKept, image, hub, hubFirst];

export const suite: Suite = {
  name: 'start',
  about: 'from the start until ready, and memory at rest',
  async run({ isQuick, reportProgress }) {
    await using sink = await startBenchScript('processes/signal-sink.ts');
    const codeFolder = await mkdtemp(join(tmpdir(), 'hestia-code-'));
    await mkdir(join(codeFolder, 'image'));
    const environment = { OTEL_EXPORTER_OTLP_ENDPOINT: sink.url };
    const entries = {
      checkout: fileURLToPath(new URL('../../../src/main.ts', import.meta.url)),
      image: join(layOutImage(join(codeFolder, 'image')), 'main.js'),
      empty: benchFile('processes/empty-server.ts'),
    };
    const once = (start: Start) => startOnce({ ...start, entry: entries[start.runs] }, { codeFolder, environment });
    // The first start of each fills the compile cache.
    for (const start of [emptyKept, image, hub]) await once(start);
    const rounds: Map<Start, Started>[] = [];
    const roundsCount = isQuick ? 2 : 15;
    for (let round = 1; round <= roundsCount; round += 1) {
      reportProgress(`starts: round ${round} of ${roundsCount}`);
      const taken = new Map<Start, Started>();
      // Each round begins with a different process.
      for (let index = 0; index < starts.length; index += 1) {
        const start = starts[(index + round) % starts.length] ?? empty;
        taken.set(start, await once(start));
      }
      rounds.push(taken);
    }
    await rm(codeFolder, { recursive: true });
    return findings(rounds);
  },
};

function findings(rounds: readonly Map<Start, Started>[]): Finding[] {
  const of = (start: Start, what: keyof Started) => rounds.map((round) => round.get(start)?.[what] ?? Number.NaN);
  const median = (start: Start, what: keyof Started) => quantile(of(start, what), 0.5);
  const ratios = (start: Start, base: Start) => {
    const bases = of(base, 'ms');
    return of(start, 'ms').map((ms, round) => ms / (bases[round] ?? Number.NaN));
  };
  const against = (name: string, start: Start, base: Start) => {
    const all = ratios(start, base);
    return withVerdict({
      name,
      unit: 'x',
      value: quantile(all, 0.5),
      quartiles: [quantile(all, 0.25), quantile(all, 0.75)],
      twin: quantile(ratios(twin, empty), 0.5),
      detail: `${Math.round(median(start, 'ms'))} to ${Math.round(median(base, 'ms'))} ms`,
    });
  };
  return [
    against('start until ready against an empty process', image, empty),
    against('start until ready against an empty process, its code kept as well', image, emptyKept),
    against('start of a checkout until ready against an empty process', hub, empty),
    against('first start of a checkout until ready against an empty process', hubFirst, empty),
    figureFinding('memory of the hub at rest', 'MiB', median(image, 'memoryMiB')),
    figureFinding('memory of the hub of a checkout at rest', 'MiB', median(hub, 'memoryMiB')),
    figureFinding('memory of an empty process at rest', 'MiB', median(empty, 'memoryMiB')),
  ];
}

/** The result of a start: the time until ready, and the memory when idle. */
interface Started {
  ms: number;
  memoryMiB: number;
}

/** How long after it is ready a process counts as idle, in milliseconds. */
const restMs = 1000;
const pollMs = 2;

async function startOnce(
  { entry, keepsCode }: { entry: string; keepsCode: boolean },
  { codeFolder, environment }: { codeFolder: string; environment: Record<string, string> },
): Promise<Started> {
  const port = await freePort();
  const startedAt = performance.now();
  await using started = await startHubProcess({
    port,
    environment: {
      OTEL_SDK_DISABLED: 'false',
      ...environment,
      ...(keepsCode && { NODE_COMPILE_CACHE: codeFolder }),
    },
    entry: [entry],
  });
  await untilReady(started);
  const ms = performance.now() - startedAt;
  await delay(restMs);
  const memoryMiB = residentMiB(started);
  started.child.kill('SIGTERM');
  await started.exited;
  return { ms, memoryMiB };
}

async function untilReady({ url, child, stderr }: HubProcess): Promise<void> {
  while (true) {
    if (child.exitCode !== null) throw new Error(`it ended at its start: ${stderr()}`);
    const response = await fetch(`${url}/readyz`).catch(() => undefined);
    await response?.text();
    if (response?.ok) return;
    await delay(pollMs);
  }
}
