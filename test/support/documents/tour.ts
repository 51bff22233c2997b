/** Tours through documents: their commands, run in order against a hub, and what each block of them printed. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { waitFor } from '../wait-for.ts';
import { type Block, blocksOf, repositoryFolder } from './block.ts';
import { isSampleOf, linesOfTerminal, sampleAfter } from './sample.ts';
import { type Printed, type ReaderShell, startReaderShell, type Terminal } from './shell.ts';

/** Which documents a reader follows, one after the other, with one hub. */
export interface Tour {
  readonly documents: readonly string[];
  /** Variables of all terminals. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Commands that the reader ran before a document, until they succeed. */
  readonly before?: Readonly<Record<string, string>>;
  /** Beginnings of blocks that run in a terminal of their own. */
  readonly terminals?: readonly string[];
  /** Beginnings of blocks that are repeated until they print their sample: the text says so. */
  readonly repeated?: readonly string[];
  /** Beginnings of blocks before which the reader stops the hub with Ctrl-C. */
  readonly stoppedBefore?: readonly string[];
  /** Beginnings of blocks that are not run, each with the reason. */
  readonly notRun?: Readonly<Record<string, string>>;
}

/** A block that was run, with its sample in the document if it has one. */
export interface Ran {
  readonly block: Block;
  readonly sample: Block | undefined;
  readonly printed: Printed;
}

/** What a tour shows: the blocks that were run, and samples of terminals with the lines that they are. */
export interface TourResult {
  readonly ran: readonly Ran[];
  readonly lines: readonly { readonly sample: Block; readonly found: readonly (string | undefined)[] }[];
}

const begins = (text: string, beginnings: readonly string[] = []) =>
  beginnings.some((beginning) => text.startsWith(beginning));

/** The configuration of the examples. Its checkpoints do not depend on how long the commands take. */
function steadyConfiguration(): string {
  const text = readFileSync(join(repositoryFolder, 'hestia.config.example.json'), 'utf8');
  return JSON.stringify({ ...JSON.parse(text), audit: { checkpointSeconds: 3600 } });
}

/** Runs the blocks of a tour. */
export async function runTour(tour: Tour): Promise<TourResult> {
  const files = { 'hestia.config.example.json': steadyConfiguration() };
  await using shell = await startReaderShell({ files, environment: tour.environment });
  const terminals: { commands: string; terminal: Terminal }[] = [];
  const ran: Ran[] = [];
  for (const document of tour.documents) {
    const blocks = blocksOf(document);
    await waitUntilDone(shell, tour.before?.[document] ?? 'true');
    for (const block of blocks.filter(({ language }) => language === 'sh')) {
      if (begins(block.text, Object.keys(tour.notRun ?? {}))) continue;
      if (begins(block.text, tour.stoppedBefore)) await hubTerminal(terminals)?.interrupt();
      if (begins(block.text, tour.terminals)) {
        terminals.push({ commands: block.text, terminal: shell.open(block.text) });
        continue;
      }
      const sample = sampleAfter(block, blocks);
      const isRepeated = begins(block.text, tour.repeated);
      ran.push({ block, sample, printed: await runBlock(shell, block, isRepeated ? sample : undefined) });
    }
  }
  return { ran, lines: await terminalLines(tour, terminals) };
}

async function runBlock(shell: ReaderShell, block: Block, until: Block | undefined): Promise<Printed> {
  let last = await shell.run(block.text);
  if (until === undefined) return last;
  return await waitFor(async () => {
    if (isSampleOf(until.text, last.output)) return last;
    last = await shell.run(block.text);
    throw new Error(`the commands still print: ${last.output}`);
  }).catch(() => last);
}

async function waitUntilDone(shell: ReaderShell, commands: string): Promise<void> {
  await waitFor(async () => {
    const { exitCode, output } = await shell.run(commands);
    if (exitCode !== 0) throw new Error(`exit code ${exitCode}: ${output}`);
  });
}

function hubTerminal(terminals: readonly { commands: string; terminal: Terminal }[]): Terminal | undefined {
  return terminals.find(({ commands }) => /\bnpm start\b/.test(commands))?.terminal;
}

/** The samples that name a terminal after their language, as in `text npm run signals`. */
async function terminalLines(
  tour: Tour,
  terminals: readonly { commands: string; terminal: Terminal }[],
): Promise<TourResult['lines']> {
  const samples = tour.documents.flatMap((path) => blocksOf(path)).filter(({ info }) => info !== '');
  const lines: { sample: Block; found: (string | undefined)[] }[] = [];
  for (const sample of samples) {
    const terminal = terminals.find(({ commands }) => commands.includes(sample.info))?.terminal;
    const read = () => linesOfTerminal(sample.text, terminal?.output() ?? '');
    const found = await waitFor(() => {
      if (read().includes(undefined)) throw new Error('the terminal has not all lines yet');
      return read();
    }, 30_000).catch(read);
    lines.push({ sample, found });
  }
  return lines;
}
